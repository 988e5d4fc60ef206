// A hostile instance in a whole home: it scans this machine, the router, the API and another home, and it speaks with the
// addresses of others. What it sends leaves from its network with root's rights, as if its kernel were its own.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { after, before, describe, it } from 'node:test'
import * as ec2 from '@aws-sdk/client-ec2'
import { rangeOf } from '../src/engines/network/names.ts'
import { makeTestHome, runProgram } from './support/home.ts'
import { type Host, inNetworkOf, openHost } from './support/hosts.ts'
import { openEc2 } from './support/rules.ts'
import { until } from './support/world.ts'

const PORT = 7411
/** What instances need of their home, and nothing besides. */
const SERVICES = ['169.254.169.253:53', '169.254.169.254:80']

describe('a hostile instance', { concurrency: 1 }, () => {
  const home = makeTestHome('home')
  const other = makeTestHome('other')
  const clients: ec2.EC2Client[] = []
  const hosts: Host[] = []
  const own: { id: string; address: string }[] = []
  let theirs = { id: '', address: '' }
  let group = ''

  const launch = async (client: ec2.EC2Client, count: number, SecurityGroupIds: string[]) => {
    const { Images = [] } = await client.send(new ec2.DescribeImagesCommand({ Owners: ['self'] }))
    const ask = {
      ImageId: Images[0]!.ImageId,
      InstanceType: 't3.nano',
      MinCount: count,
      MaxCount: count,
    } as const
    await client.send(new ec2.RunInstancesCommand({ ...ask, SecurityGroupIds }))
    return until(
      'the instances run',
      async () => {
        const { Reservations = [] } = await client.send(new ec2.DescribeInstancesCommand({}))
        const all = Reservations.flatMap(({ Instances = [] }) => Instances)
        const running = all.filter(({ State }) => State?.Name === 'running')
        return (
          running.length === count &&
          running.map((one) => ({ id: one.InstanceId!, address: one.PrivateIpAddress! }))
        )
      },
      90_000,
    )
  }
  const network = (index: number) => inNetworkOf(home.settings(), own[index]!.id)

  before(async () => {
    for (const one of [home, other]) {
      await one.polebean(['start'])
      clients.push(openEc2(one))
    }
    const [client, another] = clients as [ec2.EC2Client, ec2.EC2Client]
    const made = { GroupName: 'quiet', Description: 'lets one address in' }
    group = (await client.send(new ec2.CreateSecurityGroupCommand(made))).GroupId!
    own.push(...(await launch(client, 3, [group])))
    const wide = (await another.send(new ec2.CreateSecurityGroupCommand(made))).GroupId!
    const IpPermissions = [{ IpProtocol: '-1', IpRanges: [{ CidrIp: '0.0.0.0/0' }] }]
    await another.send(new ec2.AuthorizeSecurityGroupIngressCommand({ GroupId: wide, IpPermissions }))
    theirs = (await launch(another, 1, [wide]))[0]!
    await client.send(
      new ec2.AuthorizeSecurityGroupIngressCommand({
        GroupId: group,
        IpPermissions: [
          {
            IpProtocol: 'udp',
            FromPort: PORT,
            ToPort: PORT,
            IpRanges: [{ CidrIp: `${own[2]!.address}/32` }],
          },
        ],
      }),
    )
  })
  after(async () => {
    for (const host of hosts) host.close()
    for (const client of clients) client.destroy()
    assert.deepEqual([...(await home.remove()), ...(await other.remove())], [])
  })

  it('finds nothing open but the resolver and the metadata, at any address of this machine, its home or another', async (t) => {
    const attacker = openHost(network(0))
    const victims = [openHost(network(1)), openHost(inNetworkOf(other.settings(), theirs.id)), openHost([])]
    hosts.push(attacker, ...victims)
    for (const victim of victims) await victim.ask({ what: 'serve', tcp: [PORT], udp: [PORT] })
    const [range, theirRange] = [home, other].map((one) => rangeOf(one.settings().cidr))
    const machine = (await runProgram(['hostname', '-I'])).stdout
      .split(/\s+/)
      .filter((one) => /^[\d.]+$/.test(one))
    const addresses = new Set([
      ...machine,
      ...[range!, theirRange!].flatMap(({ resolver, uplinkHost, uplinkRouter }) => [
        resolver,
        uplinkHost,
        uplinkRouter,
      ]),
      ...['169.254.1.1', '169.254.169.253', '169.254.169.254', own[1]!.address, theirs.address],
    ])
    const listening = (await runProgram(['ss', '-Hltn'])).stdout.matchAll(/:(\d+) +\S+:\*/g)
    const { ports } = home.settings()
    const scanned = new Set([
      ...[...listening].map((match) => Number(match[1])),
      ...[22, 53, 80, 443, 2375, 5300, 5432, 8404, PORT],
      ...[ports.api, ports.http, other.settings().ports.api, other.settings().ports.http],
    ])
    const targets = [...addresses].flatMap((address) =>
      [...scanned].flatMap((port) =>
        (['tcp', 'udp'] as const).map((protocol) => ({ address, port, protocol })),
      ),
    )
    const open: string[] = []
    for (let from = 0; from < targets.length; from += 200)
      await Promise.all(
        targets.slice(from, from + 200).map(async (target) => {
          const said = await attacker.ask({ what: 'probe', ...target, timeoutMs: 400 })
          if (said === 'open') open.push(`${target.address}:${target.port}`)
        }),
      )
    t.diagnostic(
      `${targets.length} probes of ${addresses.size} addresses; open: ${open.join(', ') || 'none'}`,
    )
    const allowed = [...SERVICES, `${range!.resolver}:53`]
    assert.deepEqual(
      open.filter((one) => !allowed.includes(one)),
      [],
    )
    assert.ok(open.includes(SERVICES[0]!), 'the scan sees what is open')
  })

  it('is not heard with the address of another, wherever it claims to be', async () => {
    const [victim, friend] = [own[1]!, own[2]!]
    const argv: string[] = [...network(1), '/usr/bin/python3', '-uc', LISTEN, String(PORT)]
    const [file = '', ...args] = argv
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    const heard: string[] = []
    createInterface({ input: child.stdout }).on('line', (line) => heard.push(line))
    const send = async (prefix: string[], source: string, word: string) => {
      const argv = [...prefix, '/usr/bin/python3', '-c', FORGE, source, victim.address, String(PORT), word]
      return (await runProgram(argv)).stdout.trim()
    }
    try {
      await until('it listens', () => heard.includes('listening'))
      const range = rangeOf(home.settings().cidr)
      const forged = [
        friend.address,
        victim.address,
        '127.0.0.1',
        '169.254.1.1',
        '169.254.169.253',
        '169.254.169.254',
      ]
      for (const source of [
        ...forged,
        '0.0.0.0',
        '198.51.100.1',
        range.uplinkHost,
        range.uplinkRouter,
        theirs.address,
      ])
        await send(network(0), source, `forged ${source}`)
      await send(network(0), own[0]!.address, 'without a rule')
      await send(inNetworkOf(other.settings(), theirs.id), friend.address, 'of another home')
      await send(inNetworkOf(other.settings(), theirs.id), theirs.address, 'honest, of another home')
      await send([], friend.address, 'of this machine')
      await send(network(2), friend.address, 'the friend')
      await until('the friend is heard', () => heard.some((line) => line.endsWith('the friend')))
      assert.deepEqual(heard, ['listening', `${friend.address} the friend`])
    } finally {
      child.kill('SIGKILL')
    }
  })
})

/** Prints who sent what to the port, as it arrives at the interface. */
const LISTEN = `
import socket, struct, sys
link = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
print("listening")
while True:
    packet = link.recv(2048)
    head = (packet[0] & 15) * 4
    if packet[9] == 17 and struct.unpack("!H", packet[head + 2:head + 4])[0] == int(sys.argv[1]):
        print(socket.inet_ntoa(packet[12:16]), packet[head + 8:].decode())
`

/** Sends one datagram with any source address. */
const FORGE = `
import socket, struct, sys
source, target, port, word = sys.argv[1:]
body = word.encode()
udp = struct.pack("!HHHH", int(port), int(port), 8 + len(body), 0) + body
head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0, socket.inet_aton(source), socket.inet_aton(target))
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
try:
    raw.sendto(head + udp, (target, 0))
    print("sent")
except OSError as error:
    print(error)
`
