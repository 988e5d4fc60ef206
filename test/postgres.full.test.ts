// The guestbook in PostgreSQL: a database instance as a user makes one, whose group lets in the application's group only.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, describe, it } from 'node:test'
import * as ec2 from '@aws-sdk/client-ec2'
import { makeTestHome, runProgram } from './support/home.ts'
import { inNamespace, inNetworkOf, openHost } from './support/hosts.ts'
import { isReady, launchDatabase, NO_POSTGRES, PASSWORD, postgresPrograms } from './support/postgres.ts'
import { groupsOf, openEc2 } from './support/rules.ts'
import { environments, until } from './support/world.ts'

describe(
  'the guestbook in PostgreSQL',
  { concurrency: 1, skip: postgresPrograms() ? false : NO_POSTGRES },
  () => {
    const home = makeTestHome()
    let client: ec2.EC2Client
    let database = { id: '', address: '' }
    let app = ''
    let db = ''
    let host = ''
    let url = ''
    const inside = (id: string) => inNetworkOf(home.settings(), id)
    const lines = () => home.get(host, '/lines')
    const IpPermissions = () => [
      { IpProtocol: 'tcp', FromPort: 5432, ToPort: 5432, UserIdGroupPairs: [{ GroupId: app }] },
    ]
    const grant = () =>
      client.send(
        new ec2.AuthorizeSecurityGroupIngressCommand({ GroupId: db, IpPermissions: IpPermissions() }),
      )
    const revoke = () =>
      client.send(new ec2.RevokeSecurityGroupIngressCommand({ GroupId: db, IpPermissions: IpPermissions() }))
    /** As root of a network that may reach it: what is in the table. */
    const query = async (sql: string) => {
      const argv = [...inside(database.id), join(postgresPrograms()!, 'psql'), '-AtX', '-h', '127.0.0.1']
      const options = { env: { PGPASSWORD: PASSWORD } }
      const ran = await runProgram([...argv, '-U', 'guestbook', '-d', 'postgres', '-c', sql], options)
      assert.equal(ran.status, 0, ran.stderr)
      return ran.stdout
    }
    const appInstance = async () => {
      const Filters = [{ Name: 'instance.group-id', Values: [app] }]
      const { Reservations = [] } = await client.send(new ec2.DescribeInstancesCommand({ Filters }))
      return Reservations[0]!.Instances![0]!
    }

    before(async () => {
      await home.polebean(['start'])
      client = openEc2(home)
      const made = { GroupName: 'database', Description: 'who may reach the database' }
      db = (await client.send(new ec2.CreateSecurityGroupCommand(made))).GroupId!
      database = await launchDatabase(client, [db])
      await home.polebean(['up', 'samples/flask-postgres', '--name', 'guestbook'])
      const { Environments } = (await home.aws(['elasticbeanstalk', 'describe-environments'])) as {
        Environments: { EnvironmentId: string }[]
      }
      app = (await groupsOf(client, Environments[0]!.EnvironmentId)).instance
      host = (await environments(home))[0]!.cname
      url = `postgresql://guestbook:${PASSWORD}@${database.address}:5432/postgres`
      await until('PostgreSQL is up', () => isReady(inside(database.id), database.address))
    })
    after(async () => {
      client?.destroy()
      assert.deepEqual(await home.remove(), [])
    })

    it('says that it has no database while none is named, and while it may not reach it', async () => {
      assert.match((await home.get(host)).body, /The book is closed/)
      await home.polebean(['setenv', '-e', 'guestbook', `DATABASE_URL=${url}`])
      await until('it has the property', async () =>
        /DATABASE_URL/.test((await home.polebean(['printenv', 'guestbook'])).stdout),
      )
      assert.equal((await lines()).status, 503)
    })

    it('reads and writes rows once its group is let in', async () => {
      await grant()
      await until('it reaches the database', async () => (await lines()).status === 200)
      const { ports } = home.settings()
      const sign = [
        'curl',
        '-s',
        '-o',
        '/dev/null',
        '-w',
        '%{http_code}',
        '-H',
        `Host: ${host}`,
        '-d',
        'text=one+line',
      ]
      assert.equal((await runProgram([...sign, `http://127.0.0.1:${ports.http}/`])).stdout, '302')
      assert.equal(await query('select text from line'), 'one line\n')
      await query(`insert into line (instance, text) values ('psql', 'another')`)
      assert.deepEqual(JSON.parse((await lines()).body), ['another', 'one line'])
      assert.match((await home.get(host)).body, /another <small>.*written by psql/)
    })

    it('is the only one that reaches it, and at no other port', async () => {
      const { InstanceId } = await appInstance()
      const { id } = home.settings()
      const opens = async (prefix: string[], port: number) => {
        const from = openHost(prefix)
        const order = {
          what: 'probe',
          protocol: 'tcp',
          address: database.address,
          port,
          timeoutMs: 500,
        } as const
        const said = await from.ask(order)
        from.close()
        return said === 'open'
      }
      assert.equal(await opens(inside(InstanceId!), 5432), true)
      assert.equal(await opens(inNamespace(`pb-${id}-lb`), 5432), false)
      assert.equal(await opens(inNamespace(`pb-${id}-host`), 5432), false)
      assert.equal(await opens([], 5432), false)
      const listening = openHost(inside(database.id))
      await listening.ask({ what: 'serve', tcp: [5433], udp: [] })
      assert.equal(await opens(inside(InstanceId!), 5433), false)
      listening.close()
    })

    it('is cut by revoking: new connections at once, and kept ones where the group says so', async () => {
      const { InstanceId } = await appInstance()
      const open = async () => {
        const argv = [...inside(InstanceId!), join(postgresPrograms()!, 'psql'), '-AtqX', url]
        const [file = '', ...args] = argv
        // It tries again by itself, and would wait for minutes.
        const env = { ...process.env, PGCONNECT_TIMEOUT: '2' }
        const child = spawn(file, args, { env, stdio: ['pipe', 'pipe', 'ignore'] })
        const said = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
        const ended = new Promise<false>((resolve) => child.once('exit', () => resolve(false)))
        child.stdin.on('error', () => undefined)
        return {
          /** Whether the session answers; false when it has been ended. */
          asks: () => {
            child.stdin.write('select 42;\n')
            return Promise.race([said.next().then(({ value }) => value === '42'), ended])
          },
          close: () => child.kill('SIGKILL'),
        }
      }
      const kept = await open()
      assert.equal(await kept.asks(), true)
      await revoke()
      await until('new connections are refused', async () => (await lines()).status === 503)
      assert.equal(await kept.asks(), true, 'as in AWS')
      assert.match((await home.get(host)).body, /The book is closed/)
      kept.close()

      await grant()
      await until('it is let in again', async () => (await lines()).status === 200)
      const Tags = [{ Key: 'polebean:cuts-on-revoke', Value: 'true' }]
      await client.send(new ec2.CreateTagsCommand({ Resources: [db], Tags }))
      const cut = await open()
      assert.equal(await cut.asks(), true)
      await revoke()
      // Before it is in force an answer could be lost, and who only waits for one is told nothing.
      await until('new connections are refused', async () => (await lines()).status === 503)
      assert.equal(await cut.asks(), false)
      cut.close()
      await grant()
      await until('it is let in again', async () => (await lines()).body.includes('one line'))
    })

    it('has its rows and its address still after the database instance was stopped and started', async () => {
      const InstanceIds = [database.id]
      await client.send(new ec2.StopInstancesCommand({ InstanceIds }))
      await home.aws(['ec2', 'wait', 'instance-stopped', '--instance-ids', database.id])
      assert.equal((await lines()).status, 503)
      await client.send(new ec2.StartInstancesCommand({ InstanceIds }))
      await until('it is there again', async () => (await lines()).body.includes('one line'), 60_000)
    })
  },
)
