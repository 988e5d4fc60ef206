// Names on real engines: a hosted zone by the AWS CLI, names that lead to environments, the name server's death, and two environments
// that exchange their names under requests, by `eb`.
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { askServer } from '../src/engines/dns/ask.ts'
import type { RecordType } from '../src/engines/dns/engine.ts'
import { systemClock as clock } from '../src/kernel/clock.ts'
import { makeTestHome } from './support/home.ts'
import { writeProbeApp } from './support/probe-app.ts'

const BLUE = 'shop-blue'
const GREEN = 'shop-green'
const host = (prefix: string) => `${prefix}.us-west-2.elasticbeanstalk.localhost`

describe('names', { concurrency: 1, timeout: 10 * 60_000 }, () => {
  const home = makeTestHome()
  after(async () => assert.deepEqual(await home.remove(), []))
  const folder = join(home.dir, '../probe-app')
  let zone = ''

  const dig = async (name: string, type: RecordType | 'DNSKEY' = 'A') => {
    const port = home.settings().ports.dns
    const { rcode, answers } = await askServer(clock, { address: '127.0.0.1', port }, name, type)
    return rcode === 'NOERROR' ? answers.map((one) => one.split(' ').slice(2).join(' ')).join(', ') : rcode
  }
  const version = async (name: string) => (await home.get(name)).body.split(' ')[0]
  const change = async (...changes: object[]) => {
    const batch = JSON.stringify({ Changes: changes })
    const { ChangeInfo } = await home.aws([
      ...['route53', 'change-resource-record-sets', '--hosted-zone-id', zone, '--change-batch', batch],
    ])
    const { Id } = ChangeInfo as { Id: string }
    await home.client(['aws', 'route53', 'wait', 'resource-record-sets-changed', '--id', Id])
  }
  const set = (Name: string, Type: string, Value: string) => ({
    Action: 'UPSERT',
    ResourceRecordSet: { Name, Type, TTL: 60, ResourceRecords: [{ Value }] },
  })

  before(async () => {
    for (const [name, text] of [
      [BLUE, 'v1'],
      [GREEN, 'v2'],
    ] as const) {
      writeProbeApp(folder, text)
      await home.polebean(['up', folder, '--name', name])
    }
    const { HostedZone } = await home.aws([
      ...['route53', 'create-hosted-zone', '--name', 'shop.example', '--caller-reference', 'one'],
    ])
    zone = (HostedZone as { Id: string }).Id
  })

  it('answers for environments: this machine outside, their address in the VPC inside', async () => {
    assert.equal(await dig(host(BLUE)), '127.0.0.1')
    assert.equal(await dig(host('nobody')), 'NXDOMAIN')
    const inside = async (name: string) =>
      (await home.polebean(['ssh', BLUE, '--', 'getent', 'ahostsv4', name])).stdout.split(' ')[0]!
    assert.match(
      await inside(host(GREEN))!,
      new RegExp(`^${home.settings().cidr.split('.').slice(0, 2).join('\\.')}\\.`),
    )
    assert.notEqual(await inside(host(GREEN)), await inside(host(BLUE)))
  })

  it('leads names of a zone to environments at once', async () => {
    const [balancer] = (await home.aws(['elbv2', 'describe-load-balancers'])).LoadBalancers as {
      DNSName: string
      CanonicalHostedZoneId: string
    }[]
    const { DNSName, CanonicalHostedZoneId: HostedZoneId } = balancer!
    const AliasTarget = { HostedZoneId, DNSName, EvaluateTargetHealth: true }
    await change(
      { Action: 'CREATE', ResourceRecordSet: { Name: 'shop.example', Type: 'A', AliasTarget } },
      set('www.shop.example', 'CNAME', host(BLUE)),
      set('*.green.shop.example', 'CNAME', host(GREEN)),
      set('mail.shop.example', 'MX', '10 mx.example.org'),
      set('shop.example', 'TXT', '"v=spf1 -all"'),
    )
    assert.equal(await dig('www.shop.example'), `${host(BLUE)}., 127.0.0.1`)
    assert.equal(await dig('shop.example'), '127.0.0.1')
    assert.equal(await version('www.shop.example'), 'v1')
    assert.equal(await version('any.green.shop.example'), 'v2')
    assert.match((await version('shop.example'))!, /^v[12]$/)
    assert.equal((await home.get('elsewhere.shop.example')).status, 404)
    const { stdout } = await home.polebean(['dns'])
    assert.match(stdout, /^www\.shop\.example +shop-blue\S+, 127\.0\.0\.1 +shop-blue +CNAME to shop-blue/m)
  })

  it('refuses a batch of which one change is wrong, and does none of it', async () => {
    const batch = JSON.stringify({
      Changes: [set('new.shop.example', 'A', '192.0.2.1'), set('new2.shop.example', 'A', '192.0.2.256')],
    })
    const said = await home.awsFails([
      ...['route53', 'change-resource-record-sets', '--hosted-zone-id', zone, '--change-batch', batch],
    ])
    assert.match(said, /InvalidChangeBatch.*ARRDATAIllegalIPv4Address/)
    assert.equal(await dig('new.shop.example'), 'NXDOMAIN')
  })

  it('answers a private zone inside instances alone, also where a public one has its name', async () => {
    const { Vpcs } = await home.aws(['ec2', 'describe-vpcs'])
    const [{ VpcId } = { VpcId: '' }] = Vpcs as { VpcId: string }[]
    const inside = async (name: string) =>
      (await home.polebean(['ssh', BLUE, '--', 'getent', 'ahostsv4', name])).stdout.split(' ')[0]!
    const createPrivate = async (name: string) => {
      const { HostedZone } = await home.aws([
        ...['route53', 'create-hosted-zone', '--name', name, '--caller-reference', `private ${name}`],
        ...['--vpc', `VPCRegion=us-west-2,VPCId=${VpcId}`],
      ])
      return (HostedZone as { Id: string }).Id
    }
    const open = zone
    await change(set('split.shop.example', 'A', '192.0.2.10'))
    assert.equal(await inside('split.shop.example'), '192.0.2.10')
    const hidden = [await createPrivate('shop.example'), await createPrivate('corp.test')]
    zone = hidden[0]!
    await change(set('split.shop.example', 'A', '10.1.2.3'))
    zone = hidden[1]!
    await change(set('db.corp.test', 'A', '10.1.2.4'), set('blue.corp.test', 'CNAME', host(BLUE)))
    assert.equal(await inside('split.shop.example'), '10.1.2.3')
    assert.equal(await inside('db.corp.test'), '10.1.2.4')
    assert.equal(await inside('blue.corp.test'), await inside(host(BLUE)))
    assert.equal(await dig('split.shop.example'), '192.0.2.10')
    assert.equal(await dig('db.corp.test'), 'REFUSED')
    zone = hidden[0]!
    await change({ ...set('split.shop.example', 'A', '10.1.2.3'), Action: 'DELETE' })
    zone = hidden[1]!
    await change(
      ...[set('db.corp.test', 'A', '10.1.2.4'), set('blue.corp.test', 'CNAME', host(BLUE))].map((one) => ({
        ...one,
        Action: 'DELETE',
      })),
    )
    for (const id of hidden) await home.aws(['route53', 'delete-hosted-zone', '--id', id])
    zone = open
    const untilPublic = async () => {
      while ((await inside('split.shop.example')) !== '192.0.2.10');
    }
    await untilPublic()
    const running = await home.client(['ps', '-eo', 'args='])
    assert.doesNotMatch(running.stdout, new RegExp(`/${home.settings().id}/private-dns`))
  })

  it('signs a zone, and gives zones to secondaries as they are answered outside, while instances are told as before', async () => {
    const isInside = async () =>
      (await home.client(['ps', '-eo', 'args='])).stdout.includes(`/${home.settings().id}/inside-dns`)
    const inside = async (name: string) =>
      (await home.polebean(['ssh', BLUE, '--', 'getent', 'ahostsv4', name])).stdout.split(' ')[0]!
    const given = async (name: string) => {
      const from = ['dig', '-b', '127.0.0.78', '@127.0.0.1', '-p', String(home.settings().ports.dns)]
      return (await home.client([...from, name, 'AXFR', '+noall', '+answer'])).stdout
    }
    const before = await inside(host(BLUE))
    await home.aws([
      ...[
        'route53',
        'create-key-signing-key',
        '--hosted-zone-id',
        zone,
        '--name',
        'first',
        '--status',
        'ACTIVE',
      ],
      ...['--caller-reference', 'first'],
      ...['--key-management-service-arn', 'arn:aws:kms:us-east-1:123456789012:key/first'],
    ])
    const { ChangeInfo } = await home.aws(['route53', 'enable-hosted-zone-dnssec', '--hosted-zone-id', zone])
    const { Id } = ChangeInfo as { Id: string }
    await home.client(['aws', 'route53', 'wait', 'resource-record-sets-changed', '--id', Id])
    const { KeySigningKeys } = await home.aws(['route53', 'get-dnssec', '--hosted-zone-id', zone])
    const [{ DNSKEYRecord } = { DNSKEYRecord: '' }] = KeySigningKeys as { DNSKEYRecord: string }[]
    assert.equal(await dig('shop.example', 'DNSKEY'), DNSKEYRecord)
    assert.doesNotMatch(await given('shop.example'), /SOA/)
    assert.equal(await isInside(), false)

    await home.polebean(['config', 'set', 'dns.secondaries', '127.0.0.78'])
    await home.polebean(['restart'])
    const untilGiven = async (name: string) => {
      for (;;) {
        const all = await given(name)
        if (/\tSOA\t/.test(all) && !/TYPE65402/.test(all)) return all
      }
    }
    assert.match(await untilGiven('shop.example'), /\nshop\.example\.\s+\d+\s+IN\s+RRSIG\s+SOA/)
    const own = await untilGiven('elasticbeanstalk.localhost')
    assert.match(own, new RegExp(`${host(BLUE)}\\.\\s+60\\s+IN\\s+A\\s+127\\.0\\.0\\.1\n`))
    assert.equal(await inside(host(BLUE)), before)
    assert.equal(await dig('shop.example', 'DNSKEY'), DNSKEYRecord)
    assert.equal(await isInside(), true)

    await home.polebean(['config', 'unset', 'dns.secondaries'])
    await home.polebean(['restart'])
    const untilAlone = async () => {
      while ((await isInside()) || (await inside(host(BLUE))) !== before);
    }
    await untilAlone()
    assert.doesNotMatch(await given('shop.example'), /SOA/)
    assert.equal(await dig(host(BLUE)), '127.0.0.1')
  })

  it('comes back when it is killed, and goes on answering while the control plane is dead', async () => {
    const pidOf = async (name: string) => {
      const { stdout } = await home.client(['ps', '-eo', 'pid=,args='])
      const line = stdout
        .split('\n')
        .find(
          (one) => one.includes(`/${home.settings().id}/`) && one.includes(name) && !one.includes('runsv'),
        )
      return Number(line?.trim().split(' ')[0])
    }
    process.kill(await pidOf('pdns_server'), 'SIGKILL')
    const again = async () => {
      for (;;)
        try {
          return await dig(host(BLUE))
        } catch {
          // it is on its way
        }
    }
    assert.equal(await again(), '127.0.0.1')
    let isBack = false
    const restarting = home.polebean(['restart']).then(() => (isBack = true))
    let asked = 0
    for (; !isBack; asked++) assert.equal(await dig('www.shop.example'), `${host(BLUE)}., 127.0.0.1`)
    await restarting
    assert.ok(asked > 10, `${asked} questions`)
  })

  it('exchanges two names under requests: none fails, and none goes to the wrong one afterwards', async () => {
    const { port } = { port: home.settings().ports.http }
    const agent = new Agent({ keepAlive: true, maxSockets: 8 })
    const seen: { at: number; status: number; version: string }[] = []
    let isOver = false
    const one = () =>
      new Promise<void>((done) => {
        const at = clock.now()
        const call = request(
          { host: '127.0.0.1', port, agent, headers: { host: host(BLUE) } },
          (response) => {
            let body = ''
            response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk))
            response.on('close', () => {
              seen.push({ at, status: response.statusCode ?? 0, version: body.split(' ')[0]! })
              done()
            })
          },
        )
        call.on('error', (error) => {
          seen.push({ at, status: 0, version: error.message })
          done()
        })
        call.end()
      })
    const clients = Array.from({ length: 8 }, async () => {
      while (!isOver) await one()
    })
    mkdirSync(join(folder, '.elasticbeanstalk'), { recursive: true })
    writeFileSync(
      join(folder, '.elasticbeanstalk/config.yml'),
      `global:\n  application_name: ${BLUE}\n  default_region: us-west-2\n`,
    )
    const swapped = await home.client(['eb', 'swap', BLUE, '--destination_name', GREEN], { cwd: folder })
    assert.equal(swapped.status, 0, swapped.stdout + swapped.stderr)
    assert.match(swapped.stdout, /Completed swapping CNAMEs for environments 'shop-blue' and 'shop-green'\./)
    const { Events } = await home.aws(['elasticbeanstalk', 'describe-events', '--environment-name', BLUE])
    const completed = (Events as { EventDate: string; Message: string }[]).find(({ Message }) =>
      Message.startsWith('Completed swapping'),
    )!
    while (seen.filter(({ at }) => at > Date.parse(completed.EventDate)).length < 500) await one()
    isOver = true
    await Promise.all(clients)
    agent.destroy()
    assert.deepEqual(
      seen.filter(({ status }) => status !== 200),
      [],
    )
    const late = seen.filter(({ at }) => at > Date.parse(completed.EventDate))
    assert.deepEqual([...new Set(late.map((each) => each.version))], ['v2'])
    assert.ok(seen.some((each) => each.version === 'v1'))
    // A CNAME of a zone leads on, to whom has the name now.
    assert.equal(await version('www.shop.example'), 'v2')
    assert.equal(await version(host(GREEN)), 'v1')
  })

  it('has names no more when their environment is gone', async () => {
    await home.polebean(['terminate', GREEN, '--force'])
    assert.equal(await dig(host(BLUE)), 'NXDOMAIN')
    assert.equal(await dig('www.shop.example'), 'NXDOMAIN')
    assert.equal((await home.get('www.shop.example')).status, 404)
  })
})
