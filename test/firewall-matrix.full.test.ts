// Who reaches whom in a whole home, by real connections: every pair of hosts, ports that rules open and ports that none
// does, after each kind of change. What is expected is computed from what the test itself granted (support/oracle.ts).
import assert from 'node:assert/strict'
import { after, before, describe, it, type TestContext } from 'node:test'
import * as ec2 from '@aws-sdk/client-ec2'
import { makeTestHome, runProgram } from './support/home.ts'
import { inNamespace, inNetworkOf, makeOutside, openHost, type Outside } from './support/hosts.ts'
import { answers, expected, type Port, probe, seenCells, type Seen, type World } from './support/matrix.ts'
import { EVERYWHERE, type Group, mayAsk, newGroup, type Rule } from './support/oracle.ts'
import { isReady, launchDatabase, NO_POSTGRES, postgresPrograms } from './support/postgres.ts'
import { change, groupsOf, openEc2 } from './support/rules.ts'
import { daemonPid, environments, until } from './support/world.ts'

/** Where every host listens: PostgreSQL and nginx where they are, echoes elsewhere. */
const HTTP: Port = ['tcp', 80]
const POSTGRES: Port = ['tcp', 5432]
const ECHO: Port = ['tcp', 7411]
const WORDS: Port = ['udp', 7411]
const PORTS = [HTTP, POSTGRES, ECHO, WORDS]
const CELLS_MIN = 500

describe('every pair of hosts', { concurrency: 1, skip: postgresPrograms() ? false : NO_POSTGRES }, () => {
  const home = makeTestHome()
  const world: World = { groups: new Map(), places: new Map(), hosts: new Map() }
  const ids = { shopBalancer: '', shop: '', blogBalancer: '', blog: '', db: '' }
  /** Name of a host → id of the instance. */
  const instances: Record<string, string> = {}
  const names: Record<string, string> = {}
  let outside: Outside | undefined
  let client: ec2.EC2Client
  const count = { cells: 0, open: 0 }

  const enter = async (name: string, prefix: string[], tcp: number[]) => {
    world.hosts.get(name)?.close()
    const host = openHost(prefix)
    world.hosts.set(name, host)
    // Echoes where nobody else listens.
    if (tcp.length > 0) await host.ask({ what: 'serve', tcp, udp: [7411] })
  }
  const enterInstance = (name: string) =>
    enter(
      name,
      inNetworkOf(home.settings(), instances[name]!),
      name === 'database' ? [80, 7411] : [5432, 7411],
    )

  const askedCells = (): Promise<Seen[]> =>
    Promise.all(
      ['shop', 'blog'].flatMap((name) =>
        ['outside', 'machine'].map(async (from) => {
          const client = from === 'outside' ? outside!.address : '127.0.0.1'
          const wanted = mayAsk(world.groups, client, world.places.get(`balancer of ${name}`)!)
          const [prefix, address] =
            from === 'outside' ? [outside!.prefix, outside!.hostAddress] : [[], client]
          const socket = { address, port: home.settings().ports.http, name: names[name]! }
          return { cell: `${from} → http://${socket.name}`, wanted, open: await answers(prefix, socket) }
        }),
      ),
    )
  const allHold = async (t: TestContext) => {
    const all = [...(await seenCells(world, PORTS)), ...(await askedCells())]
    const open = all.filter(({ wanted }) => wanted).length
    count.cells += all.length
    count.open += open
    const wrong = all.filter((one) => one.wanted !== one.open)
    t.diagnostic(`${all.length} cells, ${open} open, ${wrong.length} wrong`)
    assert.deepEqual(
      wrong.map(({ cell, open: passes }) => `${cell} ${passes ? 'passes' : 'is closed'}`),
      [],
    )
  }
  /** A change is in force soon after its answer (firewall.full.test.ts measures how soon): all cells, once one has followed. */
  const holds = async (t: TestContext, from: string, to: string, port: Port) => {
    const wanted = expected(world, from, to, port)
    await until('the change is in force', async () => (await probe(world, from, to, port)) === wanted)
    const follows = async () => (await askedCells()).every((one) => one.wanted === one.open)
    await until('the public sockets follow', follows)
    await allHold(t)
  }
  const grant = (way: keyof Group, id: string, rule: Rule) =>
    change(client, world.groups, 'grant', way, id, rule)
  const revoke = (way: keyof Group, id: string, rule: Rule) =>
    change(client, world.groups, 'revoke', way, id, rule)
  const join = async (name: string, ...Groups: string[]) => {
    await client.send(new ec2.ModifyInstanceAttributeCommand({ InstanceId: instances[name]!, Groups }))
    world.places.get(name)!.groups = Groups
  }
  const stateOf = async (name: string) => {
    const InstanceIds = [instances[name]!]
    const { Reservations = [] } = await client.send(new ec2.DescribeInstancesCommand({ InstanceIds }))
    return Reservations[0]!.Instances![0]!.State!.Name
  }
  const isUp = () =>
    isReady(inNetworkOf(home.settings(), instances.database!), world.places.get('database')!.address)
  const fromShop = (): Rule => ({ protocol: 'tcp', port: 5432, peer: { group: ids.shop } })
  const WEB: Rule = { protocol: 'tcp', port: 80, peer: EVERYWHERE }
  const ALL: Rule = { protocol: '-1', peer: EVERYWHERE }

  before(async () => {
    await home.polebean(['up', 'samples/flask-guestbook', '--name', 'shop'])
    await home.polebean(['up', 'samples/flask-guestbook', '--name', 'blog'])
    await home.polebean(['scale', '2', 'shop'])
    client = openEc2(home)
    const { groups, places } = world
    const made = { GroupName: 'database', Description: 'who may reach the database' }
    ids.db = (await client.send(new ec2.CreateSecurityGroupCommand(made))).GroupId!
    groups.set(ids.db, newGroup())
    const database = await launchDatabase(client, [ids.db])
    instances.database = database.id
    places.set('database', { kind: 'instance', address: database.address, groups: [ids.db] })

    const { Environments } = (await home.aws(['elasticbeanstalk', 'describe-environments'])) as {
      Environments: { EnvironmentName: string; EnvironmentId: string }[]
    }
    const Filters = [{ Name: 'instance-state-name', Values: ['running'] }]
    const { Reservations = [] } = await client.send(new ec2.DescribeInstancesCommand({ Filters }))
    const { NetworkInterfaces = [] } = await client.send(new ec2.DescribeNetworkInterfacesCommand({}))
    for (const { EnvironmentName: name, EnvironmentId } of Environments) {
      const { balancer, instance } = await groupsOf(client, EnvironmentId)
      groups.set(balancer, newGroup(WEB))
      groups.set(instance, newGroup({ protocol: 'tcp', port: 80, peer: { group: balancer } }))
      if (name === 'shop') [ids.shopBalancer, ids.shop] = [balancer, instance]
      else [ids.blogBalancer, ids.blog] = [balancer, instance]
      const own = NetworkInterfaces.find(
        (one) => one.RequesterManaged && one.Groups![0]!.GroupId === balancer,
      )!
      places.set(`balancer of ${name}`, {
        kind: 'balancer',
        address: own.PrivateIpAddress!,
        groups: [balancer],
      })
      Reservations.flatMap(({ Instances = [] }) => Instances)
        .filter(({ SecurityGroups }) => SecurityGroups![0]!.GroupId === instance)
        .forEach(({ InstanceId, PrivateIpAddress }, index) => {
          instances[`${name} ${index + 1}`] = InstanceId!
          places.set(`${name} ${index + 1}`, {
            kind: 'instance',
            address: PrivateIpAddress!,
            groups: [instance],
          })
        })
    }
    for (const { name, cname } of await environments(home)) names[name] = cname
    outside = await makeOutside(home.settings())
    await home.polebean(['config', 'set', 'listeners.publicAddresses', outside.hostAddress])
    places.set('outside', { kind: 'outside', address: outside.address, groups: [] })
    places.set('machine', { kind: 'machine', address: outside.hostAddress, groups: [] })
    assert.equal(places.size, 8)

    for (const name of Object.keys(instances)) await enterInstance(name)
    const balancers = inNamespace(`pb-${home.settings().id}-lb`)
    await enter('balancer of shop', balancers, [5432, 7411]) // on the addresses of both
    await enter('balancer of blog', balancers, [])
    await enter('outside', outside.prefix, [80, 5432, 7411])
    await enter('machine', [], [7411])
    await until('PostgreSQL is up', isUp)
  })
  after(async () => {
    for (const host of world.hosts.values()) host.close()
    client?.destroy()
    await outside?.remove()
    assert.deepEqual(await home.remove(), [])
  })

  it('is as Beanstalk has it at first', (t) => holds(t, 'balancer of shop', 'shop 1', HTTP))

  it('follows a rule that names a group', async (t) => {
    await grant('ingress', ids.db, fromShop())
    await holds(t, 'shop 1', 'database', POSTGRES)
  })

  it('follows ranges, a group’s own members, and UDP', async (t) => {
    const own = `${world.places.get('shop 1')!.address}/32`
    await grant('ingress', ids.blog, { protocol: 'tcp', port: 7411, peer: { cidr: own } })
    await grant('ingress', ids.shop, { protocol: '-1', peer: { group: ids.shop } })
    await grant('ingress', ids.db, { protocol: 'udp', port: 7411, peer: { group: ids.blogBalancer } })
    await holds(t, 'balancer of blog', 'database', WORDS)
  })

  it('follows what is revoked, at a public socket too', async (t) => {
    await revoke('ingress', ids.shopBalancer, WEB)
    await grant('ingress', ids.shopBalancer, { ...WEB, peer: { cidr: '127.0.0.0/8' } })
    await revoke('ingress', ids.db, fromShop())
    await holds(t, 'shop 1', 'database', POSTGRES)
  })

  it('follows who is a member of what', async (t) => {
    await grant('ingress', ids.db, fromShop())
    await join('blog 1', ids.blog, ids.shop)
    await join('shop 2', ids.shop, ids.db)
    await holds(t, 'blog 1', 'database', POSTGRES)
    await join('blog 1', ids.blog)
    await holds(t, 'blog 1', 'database', POSTGRES)
  })

  it('follows what may go out', async (t) => {
    await revoke('egress', ids.db, ALL)
    await grant('egress', ids.db, { protocol: 'tcp', port: 80, peer: { cidr: `${outside!.address}/32` } })
    await holds(t, 'database', 'outside', ECHO)
    await grant('egress', ids.db, ALL)
    await holds(t, 'database', 'outside', ECHO)
  })

  it('is the same without an instance that is stopped, and with it when it is back', async (t) => {
    const InstanceIds = [instances.database!]
    await client.send(new ec2.StopInstancesCommand({ InstanceIds }))
    await until('it is stopped', async () => (await stateOf('database')) === 'stopped')
    world.hosts.get('database')!.close()
    world.hosts.delete('database')
    await allHold(t)
    await client.send(new ec2.StartInstancesCommand({ InstanceIds }))
    await until('it runs', async () => (await stateOf('database')) === 'running')
    await enterInstance('database')
    await until('PostgreSQL is back', isUp)
    await allHold(t)
  })

  it('is the same while the control plane is dead, and when it is back', async (t) => {
    process.kill(daemonPid(home.settings(), 'server')!, 'SIGKILL')
    await allHold(t)
    await until('the server is back', () => client.send(new ec2.DescribeVpcsCommand({})).then(() => true))
    await allHold(t)
    await home.polebean(['restart'])
    await allHold(t)
  })

  for (const what of ['flush table inet polebean', 'delete table inet polebean', 'flush ruleset'])
    it(`is the same again after nft ${what}`, async (t) => {
      await until('the server answers', () => client.send(new ec2.DescribeVpcsCommand({})).then(() => true))
      const nft = [...inNamespace(`pb-${home.settings().id}`), 'nft']
      assert.equal((await runProgram([...nft, ...what.split(' ')])).status, 0)
      const lists = async () => (await runProgram([...nft, 'list', 'table', 'inet', 'polebean'])).stdout
      await until('rules are in force', async () => /of the security groups in force/.test(await lists()))
      await holds(t, 'shop 1', 'database', POSTGRES)
    })

  it(`were ${CELLS_MIN} cells and more, many of them open`, (t) => {
    t.diagnostic(`${count.cells} cells, ${count.open} of them open`)
    assert.ok(count.cells >= CELLS_MIN && count.open >= CELLS_MIN / 10)
  })
})
