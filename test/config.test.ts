// The settings of a home, given as its owner gives them: checked before they are written, in force when it is said.
import assert from 'node:assert/strict'
import { appendFileSync, readFileSync, symlinkSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { createServer, type AddressInfo } from 'node:net'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { makeTestHome, runProgram } from './support/home.ts'
import { writeProbeApp } from './support/probe-app.ts'
import { daemonPid, until, untilTold } from './support/world.ts'

type Entry = { key: string; value: unknown; source: string; next?: unknown }

describe('the settings of a home', { concurrency: 1 }, () => {
  const home = makeTestHome()
  const other = makeTestHome()
  after(async () => {
    assert.deepEqual(await home.remove(), [])
    assert.deepEqual(await other.remove(), [])
  })
  const path = join(home.dir, 'config.yaml')
  const config = (...args: string[]) => home.polebean(['config', ...args])
  const refused = async (status: number, ...args: string[]) => {
    const before = readFileSync(path, 'utf8')
    const { stderr } = await home.polebean(['config', ...args], { status })
    assert.equal(readFileSync(path, 'utf8'), before)
    assert.doesNotMatch(stderr, /bug in Polebean/)
    return stderr
  }
  const entry = async (key: string): Promise<Entry> => JSON.parse((await config('get', key, '--json')).stdout)
  const freePort = async () => {
    const server = createServer()
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    const { port } = server.address() as AddressInfo
    await new Promise((done) => server.close(done))
    return port
  }
  const editor = (name: string, script: string) => {
    const file = join(home.dir, '..', name)
    writeFileSync(file, `#!/bin/sh\n${script}\n`, { mode: 0o755 })
    return { env: { VISUAL: `${file} --wait` } }
  }
  let host = ''
  let httpPort = 0
  const statusAt = (address: string) =>
    new Promise<number | string>((answer) => {
      const call = request(
        { host: address, port: httpPort, headers: { host }, timeout: 2_000, agent: false },
        (reply) => {
          reply.resume()
          answer(reply.statusCode ?? 0)
        },
      )
      call.on('timeout', () => call.destroy(new Error('no answer')))
      call.on('error', (error: NodeJS.ErrnoException) => answer(error.code ?? error.message))
      call.end()
    })

  before(async () => {
    const { stdout } = await home.polebean([
      'up',
      writeProbeApp(join(home.dir, '../app'), 'one'),
      '--name',
      'shop',
    ])
    host = new URL(stdout.trim()).hostname
    httpPort = home.settings().ports.http
    await other.polebean(['start'])
  })

  it('are the defaults at first start, each explained in the file', async () => {
    const entries: Entry[] = JSON.parse((await config('get', '--json')).stdout)
    assert.ok(entries.every(({ source }) => source === 'default'))
    const { ports, domain, cidr } = home.settings()
    const chosen = Object.fromEntries(entries.map(({ key, value }) => [key, value]))
    assert.deepEqual(
      [chosen['listeners.http'], chosen['api.port'], chosen['dns.domain'], chosen['network.cidr']],
      [ports.http, ports.api, domain, cidr],
    )
    assert.match(readFileSync(path, 'utf8'), /^# listeners\.publicAddresses: \[\]$/m)
    assert.equal(statSync(path).mode & 0o777, 0o644)
    assert.match((await config('get')).stdout, /^limits\.environments +200 +default$/m)
  })

  it('are refused with the reason before anything is written', async () => {
    assert.match(
      await refused(2, 'set', 'listener.http', '80'),
      /no setting listener\.http; is listeners\.http meant\?/,
    )
    assert.match(
      await refused(2, 'set', 'api.port', '70000'),
      /api\.port must be a port from 1 to 65535.*, not 70000/,
    )
    const { ports, cidr, domain } = home.settings()
    const holder = createServer()
    await new Promise<void>((done) => holder.listen(0, '127.0.0.1', done))
    const { port } = holder.address() as AddressInfo
    const said = await refused(1, 'set', 'listeners.http', String(port)).finally(() => holder.close())
    assert.match(said, new RegExp(`port ${port} is taken by \\S+ \\(pid ${process.pid}\\)`))
    assert.match(
      await refused(1, 'set', 'listeners.http', String(ports.api)),
      /cannot be \d+: that is api\.port/,
    )
    assert.match(
      await refused(1, 'set', 'listeners.http', String(ports.environments + 7)),
      /are the loopback ports of environments/,
    )
    const theirs = other.settings()
    assert.match(
      await refused(1, 'set', 'api.port', String(theirs.ports.http)),
      new RegExp(`it belongs to the home ${other.dir}`),
    )
    assert.match(
      await refused(1, 'set', 'dns.domain', 'eb.example.com'),
      new RegExp(`cannot change from ${domain} .* the names of shop were handed out`),
    )
    assert.match(
      await refused(1, 'set', 'network.cidr', '192.168.0.0/16'),
      new RegExp(`cannot change from ${cidr} .*: i-\\w+, `),
    )
    const { stderr } = await other.polebean(['config', 'set', 'network.cidr', cidr], { status: 1 })
    assert.match(stderr, new RegExp(cidr.replaceAll('.', '\\.')))
  })

  it('take effect at once where the server can follow', async () => {
    const outside = Object.values(networkInterfaces())
      .flatMap((all) => all ?? [])
      .find((one) => !one.internal && one.family === 'IPv4')?.address
    assert.ok(outside, 'the machine has an address besides loopback')
    assert.equal(await statusAt(outside), 'ECONNREFUSED')
    const { stderr, stdout } = await config('set', 'listeners.publicAddresses', '0.0.0.0', '--json')
    assert.match(stderr, /^listeners\.publicAddresses is \[0\.0\.0\.0\] now\.$/m)
    assert.deepEqual(JSON.parse(stdout), {
      key: 'listeners.publicAddresses',
      value: ['0.0.0.0'],
      source: 'file',
    })
    await until('it answers there', async () => (await statusAt(outside)) === 200)
    assert.equal(await statusAt('127.0.0.1'), 200)
    await config('unset', 'listeners.publicAddresses')

    await config('set', 'limits.environments', '1')
    const there = (await home.aws(['elasticbeanstalk', 'describe-environments'])) as {
      Environments: { ApplicationName: string; VersionLabel: string; SolutionStackName: string }[]
    }
    const { ApplicationName, VersionLabel, SolutionStackName } = there.Environments[0]!
    const create = [
      ...['elasticbeanstalk', 'create-environment', '--environment-name', 'second'],
      ...['--application-name', ApplicationName, '--version-label', VersionLabel],
      ...['--solution-stack-name', SolutionStackName],
    ]
    assert.match(
      await home.awsFails(create),
      /\(TooManyEnvironmentsException\).*You cannot have more than 1 Environments/,
    )
    await config('set', 'limits.instances', '1')
    const run = ['ec2', 'run-instances', '--count', '1', '--image-id']
    const { Images } = (await home.aws(['ec2', 'describe-images'])) as { Images: { ImageId: string }[] }
    assert.match(
      await home.awsFails([...run, Images[0]!.ImageId]),
      /\(InstanceLimitExceeded\).*instance limit of 1 allows/,
    )
    await config('unset', 'limits.instances')
    await config('unset', 'limits.environments')
  })

  it('that need a start of the server say so, and are in force after it, without a request lost', async () => {
    const port = await freePort()
    const before = httpPort
    const { stderr } = await config('set', 'listeners.http', String(port))
    assert.match(
      stderr,
      new RegExp(`^listeners\\.http is ${port} once the server starts again: polebean restart`, 'm'),
    )
    assert.deepEqual(await entry('listeners.http'), {
      key: 'listeners.http',
      value: before,
      source: 'default',
      next: port,
    })
    const [server, haproxy] = ['server', 'haproxy'].map((name) => daemonPid(home.settings(), name))
    await home.polebean(['restart'])
    assert.notEqual(daemonPid(home.settings(), 'server'), server)
    assert.equal(daemonPid(home.settings(), 'haproxy'), haproxy)
    assert.deepEqual(await entry('listeners.http'), { key: 'listeners.http', value: port, source: 'file' })
    httpPort = port
    await until('the new port answers', async () => (await statusAt('127.0.0.1')) === 200)
    assert.match(
      (await home.polebean(['list'])).stdout,
      new RegExp(`http://${host.replaceAll('.', '\\.')}:${port}/`),
    )
  })

  it('that break in a running server change nothing, and are said', async () => {
    const whole = readFileSync(path, 'utf8')
    appendFileSync(path, 'limits.instance: 3\n')
    const line = `${path}:${whole.split('\n').length}: there is no setting limits.instance; is limits.instances meant?`
    await until('doctor says it', async () => {
      const { stdout } = await home.polebean(['doctor'], { status: 1 })
      return stdout.includes(line)
    })
    assert.ok((await config('get')).stderr.includes(line))
    assert.ok((await refused(1, 'set', 'limits.instances', '3')).includes(line))
    const server = daemonPid(home.settings(), 'server')
    assert.ok((await home.polebean(['restart'], { status: 1 })).stderr.includes(line))
    writeFileSync(path, `${whole}dns.domain: eb.example.com\n`)
    const { stderr } = await home.polebean(['restart'], { status: 1 })
    assert.match(stderr, /dns\.domain cannot change .*: the names of shop were handed out/)
    assert.equal(daemonPid(home.settings(), 'server'), server)
    assert.equal(await statusAt('127.0.0.1'), 200)
    assert.match(
      readFileSync(join(home.dir, 'log/server/current'), 'utf8'),
      /the configuration is broken; what is in force stays.*limits\.instance/,
    )
    writeFileSync(path, whole)
  })

  it('are edited in the owner’s editor, and what is wrong is kept beside', async () => {
    const bad = await home.polebean(['config', 'edit'], {
      status: 1,
      ...editor('bad', 'echo "api.port: 1.5" >> "$2"'),
    })
    assert.match(
      bad.stderr,
      /config\.yaml\.rejected:\d+: api\.port must be .*\nNothing was changed\. Your text is kept in .*\.rejected$/m,
    )
    assert.match(readFileSync(`${path}.rejected`, 'utf8'), /^api\.port: 1\.5$/m)
    assert.match((await config('get')).stderr, /^$/)
    const good = await home.polebean(
      ['config', 'edit'],
      editor('good', 'echo "# a note of ours" >> "$2"; echo "limits.instances: 9" >> "$2"'),
    )
    assert.match(good.stderr, /^limits\.instances is 9 now\.$/m)
    assert.match(readFileSync(path, 'utf8'), /# a note of ours\nlimits\.instances: 9\n$/)
    await config('set', 'limits.instances', '8')
    assert.match(readFileSync(path, 'utf8'), /# a note of ours\nlimits\.instances: 8\n$/)
    assert.match(
      (await home.polebean(['config', 'edit'], { status: 1, ...editor('ends', 'exit 3') })).stderr,
      /ended with exit 3; nothing was changed/,
    )
    assert.match(
      (await home.polebean(['config', 'edit'], { env: { VISUAL: 'true' } })).stderr,
      /^Nothing was changed\.$/m,
    )
  })

  it('that are broken when the server starts are refused by file and line', async () => {
    await home.polebean(['down'])
    const whole = readFileSync(path, 'utf8')
    const starts = async (sentence: RegExp) =>
      assert.match((await home.polebean(['start'], { status: 1 })).stderr, sentence)
    writeFileSync(path, 'limits:\n\tinstances: 3\n')
    await starts(/config\.yaml:2: a tab cannot indent in YAML: use spaces/)
    writeFileSync(path, 'dns.domain: eb.example.com\n')
    await starts(
      /config\.yaml:1: dns\.domain cannot change from \S+ to eb\.example\.com: the names of shop were handed out/,
    )
    writeFileSync(path, Buffer.alloc(10 * 2 ** 20, '#'))
    await starts(/has more than 64 KiB/)
    rmSync(path)
    symlinkSync('/etc/passwd', path)
    await starts(/is a symbolic link/)
    rmSync(path)
    writeFileSync(path, whole)
  })

  it('give way to the flags of the server, and this is shown', async () => {
    const port = await freePort()
    await home.polebean(['start', '--http-port', String(port)])
    assert.deepEqual(await entry('listeners.http'), { key: 'listeners.http', value: port, source: 'flag' })
    assert.match(
      (await config('get')).stdout,
      new RegExp(`^listeners\\.http +${port} +the option --http-port$`, 'm'),
    )
    assert.equal(home.settings().ports.http, port)
    httpPort = port
    await until('the port answers', async () => (await statusAt('127.0.0.1')) === 200)
    await untilTold(home)
    assert.match(
      (await home.polebean(['start', '--api-port', 'x'], { status: 2 })).stderr,
      /--api-port must be a port/,
    )
  })

  it('can move a home that has nothing yet to another domain and range', async () => {
    const { cidr } = other.settings()
    const next = cidr === '10.240.0.0/16' ? '10.241.0.0/16' : '10.240.0.0/16'
    await other.polebean(['config', 'set', 'network.cidr', next])
    await other.polebean(['config', 'set', 'dns.domain', 'eb.localhost'])
    await other.polebean(['restart'])
    assert.deepEqual([other.settings().cidr, other.settings().domain], [next, 'eb.localhost'])
    const { Vpcs } = (await other.aws(['ec2', 'describe-vpcs'])) as { Vpcs: { CidrBlock: string }[] }
    assert.equal(Vpcs[0]!.CidrBlock, next)
    const packets = await runProgram(['ip', '-n', `pb-${other.settings().id}`, 'route'])
    assert.match(packets.stdout, new RegExp(next.replaceAll('.', '\\.')))
    assert.doesNotMatch(packets.stdout, new RegExp(cidr.replaceAll('.', '\\.')))
  })
})
