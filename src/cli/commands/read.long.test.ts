// Commands that look at an environment, against the real control plane on fake engines.
import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { openApi, type Api } from '../client.ts'
import { readEvents } from '../events.ts'
import { cli, endOf, makeCliWorld, runProgram, type CliWorld } from '../testing/cli-world.ts'

let world: CliWorld
let api: Api
let dir: string
before(async () => {
  world = await makeCliWorld()
  api = openApi(world.dir)
  dir = world.folder('shop-app')
  await world.polebean(['up', dir, '--env', 'GREETING=hello'])
  await world.polebean(['up', world.folder('blog-app')])
  // So that an instance is soon called unhealthy.
  const check = { HealthCheckInterval: '5', HealthCheckTimeout: '2', UnhealthyThresholdCount: '2' }
  await api.call('elasticbeanstalk', 'UpdateEnvironment', {
    EnvironmentName: 'shop-app',
    OptionSettings: Object.entries(check).map(([OptionName, Value]) => ({
      ...{ Namespace: 'aws:elasticbeanstalk:environment:process:default', OptionName, Value },
    })),
  })
  await until('shop-app is Ready', async () => (await json(['status', 'shop-app'])).status === 'Ready')
})
after(async () => assert.deepEqual(await world.end(), []))

const json = async (args: string[], status = 0) =>
  JSON.parse((await world.polebean([...args, '--json'], { status })).stdout)
const until = async (what: string, ask: () => Promise<boolean>) => {
  for (const end = performance.now() + 20_000; performance.now() < end;) {
    if (await ask()) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`not within 20 s: ${what}`)
}

describe('a command whose output nobody reads', () => {
  it('ends without a word, as other programs do', async () => {
    // A pipe whose reader has gone before the command begins.
    const script = 'mkfifo "$0" && exec 3<>"$0" 4>"$0" 3<&- && exec "$@" >&4'
    for (const args of [['list'], ['status', 'shop-app', '--json'], ['--help']]) {
      const argv = ['sh', '-c', script, join(world.base, `pipe-${args[0]}`), ...cli(args)]
      const { status, stderr } = await runProgram(argv, { env: world.env })
      assert.deepEqual([status, stderr], [141, ''], args.join(' '))
    }
  })
  it('goes on when only its progress is not read, and says when its output has no room', async () => {
    const script = 'mkfifo "$0" && exec 3<>"$0" 4>"$0" 3<&- && exec "$@" 2>&4'
    const argv = (...args: string[]) => ['sh', '-c', script, join(world.base, 'pipe-stderr'), ...cli(args)]
    const { status, stdout } = await runProgram(argv('up', dir), { env: world.env })
    assert.deepEqual([status, /^http/.test(stdout)], [0, true])
    const full = await runProgram(['sh', '-c', 'exec "$@" >/dev/full', 'sh', ...cli(['list'])], {
      env: world.env,
    })
    assert.equal(full.status, 1)
    assert.match(full.stderr, /^polebean: standard output cannot be written: ENOSPC.*\n$/)
  })
})

describe('the environment that a command means', () => {
  it('is that of the folder, or of the folder around it', async () => {
    mkdirSync(join(dir, 'sub/deep'), { recursive: true })
    for (const cwd of [dir, join(dir, 'sub/deep')])
      assert.match((await world.polebean(['status'], { cwd })).stdout, /^shop-app /)
    const { stderr } = await world.polebean(['events'], { status: 2 })
    assert.match(stderr, /which environment\? There are: blog-app, shop-app\./)
  })
  it('is asked for also in a folder that was removed', async () => {
    const script = 'cd "$1" && rmdir "$1" && shift && exec "$@"'
    mkdirSync(join(world.base, 'removed'))
    const argv = ['sh', '-c', script, 'sh', join(world.base, 'removed'), ...cli(['events'])]
    const { status, stderr } = await runProgram(argv, { env: world.env })
    assert.deepEqual([status, stderr], [2, 'polebean: which environment? There are: blog-app, shop-app.\n'])
  })
  it('is never another one when the linked one is gone', async () => {
    const gone = world.folder('gone-app')
    await world.polebean(['up', gone])
    await world.polebean(['terminate', 'gone-app', '--force'])
    const { stderr } = await world.polebean(['terminate', '--force'], { cwd: gone, status: 4 })
    assert.match(stderr, /gone-app is linked to the environment gone-app \(e-\w+\), which is no more/)
    assert.deepEqual(
      (await json(['list'])).map(({ name }: { name: string }) => name),
      ['blog-app', 'shop-app'],
    )
  })
})

describe('--json', () => {
  it('has a shape for every command that prints something', async () => {
    const environment = await json(['status', 'shop-app'])
    assert.equal(environment.instances.length, 1)
    assert.deepEqual(await json(['printenv', 'shop-app']), { GREETING: 'hello' })
    const set = await json(['setenv', '-e', 'shop-app', 'GREETING=changed', 'MORE=1'])
    assert.deepEqual([set.name, set.status], ['shop-app', 'Ready'])
    assert.deepEqual(await json(['printenv', 'shop-app']), { GREETING: 'changed', MORE: '1' })
    const lines = (await world.polebean(['events', 'shop-app', '--json'])).stdout.trim().split('\n')
    assert.equal(JSON.parse(lines[0]!).message, 'createEnvironment is starting.')
    assert.deepEqual(Object.keys(await json(['completion', 'bash'])), ['shell', 'script'])
    assert.equal((await json(['up', dir])).name, 'shop-app')
    assert.match(
      (await world.polebean(['--version'])).stdout,
      /^polebean \d+\.\d+\.\d+ \(a clone, Node 26\.\d+\.\d+\)\n$/,
    )
  })
})

describe('docs/guide.md', () => {
  it('names the members of each --json', async () => {
    const guide = readFileSync(new URL('../../../docs/guide.md', import.meta.url), 'utf8')
    const said = (command: string) => {
      const row = guide.split('\n').find((line) => line.startsWith(`| \`${command}\` |`)) ?? ''
      return [...row.slice(row.indexOf('|', 2)).matchAll(/`(\w+)`/g)].map(([, name]) => name)
    }
    const first = async (command: string, args: string[]) =>
      JSON.parse((await world.polebean([command, ...args, '--json'])).stdout.split('\n')[0]!)
    const environment = (await json(['list']))[0]
    assert.deepEqual(said('list'), Object.keys(environment))
    const { instances, ...status } = await json(['status', 'shop-app'])
    assert.deepEqual(Object.keys(status), [...said('list'), 'causes'])
    assert.deepEqual(said('status'), ['causes', 'instances', ...Object.keys(instances[0])])
    const top = await json(['top', 'shop-app'])
    const { requests, ...shown } = top.environments[0]
    assert.deepEqual(said('top'), [
      ...Object.keys(top),
      ...Object.keys(shown).flatMap((name) => (name === 'cpuPercent' ? ['requests', name] : [name])),
      ...Object.keys(requests),
      ...Object.keys(top.instances[0]),
    ])
    assert.deepEqual(said('events'), Object.keys(await first('events', ['shop-app'])))
    world.app.logs = { '/var/log/web.stdout.log': 'x\n' }
    assert.deepEqual(said('logs'), Object.keys(await first('logs', ['shop-app'])))
    const why = await json(['why', 'shop-app'])
    assert.deepEqual(
      said('why').filter((name) => name! in why),
      Object.keys(why),
    )
    assert.deepEqual(Object.keys(why.walk[0]), ['step', 'ok', 'saw'])
    assert.deepEqual(said('env').slice(0, 2), Object.keys(await json(['env'])))
    const [setting] = await json(['config', 'get'])
    assert.deepEqual(said('config get'), [...Object.keys(setting), 'next'])
    assert.deepEqual(await json(['config', 'get', setting.key]), setting)
    assert.deepEqual(said('completion'), Object.keys(await json(['completion', 'fish'])))
    const [key] = await json(['keys', 'list'])
    assert.deepEqual(
      said('keys list').filter((name) => name! in key),
      Object.keys(key),
    )
    const made = await json(['keys', 'create'])
    assert.deepEqual(said('keys create'), Object.keys(made))
    assert.deepEqual(said('keys revoke'), Object.keys(await json(['keys', 'revoke', made.accessKeyId])))
    assert.deepEqual(said('keys rotate'), Object.keys(await json(['keys', 'rotate'])))
  })
})

describe('the room of the home', () => {
  it('is shown by status without a name', async () => {
    const home = (await world.polebean(['status'])).stdout
    assert.match(
      home,
      /^ENVIRONMENT .*\nblog-app .*\nshop-app .*\n\nDisk of the home: 400 GiB of 500 GiB free\n/,
    )
    for (const kind of ['bundles', 'caches', 'instance logs', 'daemon logs', 'database', 'instance disks'])
      assert.match(home, new RegExp(`^${kind} +\\d+ MiB +`, 'm'))
    assert.match((await world.polebean(['status'], { cwd: dir })).stdout, /^shop-app [^]*Disk of the home/)
    assert.doesNotMatch((await world.polebean(['status', 'shop-app'])).stdout, /Disk/)
    const { environments, room } = await json(['status'])
    assert.equal(environments.length, 2)
    assert.deepEqual(Object.keys(room), ['disk', 'kinds'])
  })
  it('is refused to uploads when it is short, which status says, and given again', async () => {
    const { freeBytes } = world.disk
    world.disk.freeBytes = 2 ** 20
    try {
      await until('the home is low', async () => (await json(['status'])).room.disk.low)
      assert.match(
        (await world.polebean(['status'])).stdout,
        /below 1\.0 GiB: uploads and builds are refused/,
      )
      const { stderr } = await world.polebean(['up', world.folder('late-app')], { status: 4 })
      assert.match(
        stderr,
        /The upload was refused: the disk of the home has less than 1\.0 GiB of 500 GiB free\. Make room/,
      )
      const warned = async () => (await json(['status', 'shop-app'])).healthStatus === 'Warning'
      await until('shop-app is Warning', warned)
      const { causes } = await json(['status', 'shop-app'])
      assert.match(causes[0], /^The disk of the home has less than 1\.0 GiB/)
    } finally {
      world.disk.freeBytes = freeBytes
    }
    await until('shop-app is Ok', async () => (await json(['status', 'shop-app'])).healthStatus === 'Ok')
  })
  it('is made by prune, which first says what would go', async () => {
    await world.polebean(['up', world.folder('old-app')])
    const [id] = (await json(['status', 'old-app'])).instances.map((one: { id: string }) => one.id)
    await world.polebean(['terminate', 'old-app', '--force'])
    await until('its logs are kept', async () => (await json(['prune', '--dry-run'])).kinds[1].count > 0)
    const { stdout, stderr } = await world.polebean(['logs', '--instance', id])
    assert.match(stdout, new RegExp(`==> /var/log/web.stdout.log <==\nlog of ${id}`))
    assert.match(stderr, new RegExp(`^${id} of old-app ended at 20`))
    await world.polebean(['prune', '--dry-run'])
    assert.equal((await json(['logs', '--instance', id])).instance, id, 'a dry run removes nothing')
    const pruned = await json(['prune'])
    assert.deepEqual(
      pruned.kinds.map(({ kind }: { kind: string }) => kind),
      ['caches', 'instance logs'],
    )
    const gone = await world.polebean(['logs', '--instance', id], { status: 4 })
    assert.match(
      gone.stderr,
      /^polebean: There are no logs of i-\w+: .* None has ended within the last week\.\n$/,
    )
    assert.equal((await world.polebean(['prune'])).stdout, 'There is nothing that nothing uses.\n')
  })
  it('is not asked for with what is no instance, or too much', async () => {
    for (const args of [
      ['--instance', '../etc'],
      ['--instance', 'i-0123456789abcdef0', '-f'],
      ['shop-app', '--instance', 'i-0123456789abcdef0'],
    ])
      await world.polebean(['logs', ...args], { status: 2 })
    await world.polebean(['prune', 'everything'], { status: 2 })
  })
})

describe('top', () => {
  it('prints once what is no terminal, of all environments or of one with its instances', async () => {
    const all = (await world.polebean(['top'])).stdout
    assert.match(
      all,
      /^polebean top  2 environments .*\n\nENVIRONMENT +HEALTH +INST .*\nblog-app +\w+ +1\/1 /,
    )
    assert.match(
      (await world.polebean(['top', 'shop-app', '--once'])).stdout,
      /\nINSTANCE .*\ni-[0-9a-f]{17} Ok /,
    )
    assert.deepEqual((await json(['top'])).instances, [])
  })
  it('refuses an environment that there is not, and what is no interval', async () => {
    const { stderr } = await world.polebean(['top', 'nobody'], { status: 4 })
    assert.equal(stderr, "polebean: No Environment found for EnvironmentName = 'nobody'.\n")
    assert.match(
      (await world.polebean(['top', '--interval', '0'], { status: 2 })).stderr,
      /takes seconds, 0\.5 to 3600/,
    )
  })
})

describe('basic health', () => {
  it('is a colour to status, top, why and ssh', async () => {
    const set = (Value: string) =>
      api.call('elasticbeanstalk', 'UpdateEnvironment', {
        EnvironmentName: 'blog-app',
        OptionSettings: [
          { Namespace: 'aws:elasticbeanstalk:healthreporting:system', OptionName: 'SystemType', Value },
        ],
      })
    const isReady = async () => (await json(['status', 'blog-app'])).status === 'Ready'
    await set('basic')
    await until('blog-app is Ready', isReady)
    const { health, healthStatus, instances, causes } = await json(['status', 'blog-app'])
    assert.deepEqual([health, healthStatus, instances.length, causes], ['Green', '', 1, []])
    assert.match((await world.polebean(['top'])).stdout, /\nblog-app +Green +1\/1 /)
    await world.polebean(['why', 'blog-app'])
    await set('enhanced')
    await until('blog-app is Ready', isReady)
  })
})

describe('logs -f', () => {
  it('shows new lines, and writes no events for them', async () => {
    world.app.logs = { '/var/log/web.stdout.log': 'first\n' }
    const child = world.begin(['logs', '-f', 'shop-app'])
    const end = endOf(child)
    let said = ''
    child.stdout!.setEncoding('utf8').on('data', (chunk: string) => (said += chunk))
    await until('the first lines', async () => said.includes('first'))
    const count = async () => (await readEvents(api, { EnvironmentName: 'shop-app' })).length
    const events = await count()
    for (const line of ['second', 'third', 'fourth']) {
      world.app.logs['/var/log/web.stdout.log'] += `${line}\n`
      await until(line, async () => said.includes(line))
    }
    child.kill()
    await end
    assert.equal(said.match(/first/g)?.length, 1)
    assert.equal(await count(), events)
  })
  it('reads from a path that only who holds the key may read', async () => {
    const { id } = await json(['status', 'shop-app'])
    const path = `/polebean/logs/${id}`
    assert.match(await api.get(path), /"text":".*first/)
    const reply = await fetch(`${api.endpoint}${path}`)
    assert.equal(reply.status, 403)
    await assert.rejects(
      api.get('/polebean/logs/e-none'),
      /No Environment found for EnvironmentId = 'e-none'/,
    )
    await assert.rejects(
      openApi(
        world.folder('forger', {
          'home.json': JSON.stringify(world.settings),
          'credentials.json': '{"accessKeyId":"PBLNTESTTESTTESTTEST","secretAccessKey":"wrong"}',
        }),
      ).get(path),
      { name: 'ApiError', code: 'SignatureDoesNotMatch' },
    )
  })
})

describe('why', () => {
  it('takes a name, a URL with its path, a loopback URL, or the folder', async () => {
    const { url, localUrl } = await json(['status', 'shop-app'])
    for (const args of [
      ['shop-app'],
      [`${url}cart?x=1`],
      [`${localUrl}cart`],
      [localUrl.replace('127.0.0.1', 'localhost')],
    ])
      assert.match((await world.polebean(['why', ...args])).stdout, /It answers: HTTP 200 from shop-app\.\n$/)
    assert.ok(world.app.seen.includes('/cart?x=1'))
    assert.match((await world.polebean(['why'], { cwd: dir })).stdout, /from shop-app\.\n$/)
    assert.match(
      (await world.polebean(['why', 'http://127.0.0.1:1/'], { status: 4 })).stdout,
      /No environment has that name; there are: blog-app\./,
    )
  })
  it('shows the last lines of the log when the application fails', async () => {
    world.app.status = 500
    world.app.logs = {
      '/var/log/web.stdout.log': 'Traceback\nKeyError: price\n',
      '/var/log/nginx/access.log': 'GET /\n',
    }
    const { stdout } = await world.polebean(['why', 'shop-app'], { status: 4 })
    assert.match(stdout, /^i-[0-9a-f]{17}:\n  Traceback\n  KeyError: price\n/m)
    assert.doesNotMatch(stdout, /^  GET \//m)
    const seen = await json(['why', 'shop-app'], 4)
    assert.equal(seen.answers, false)
    assert.deepEqual(seen.log[0].lines, ['Traceback', 'KeyError: price'])
  })
  it('says 0 when it answers, and names in a remark who is not healthy', async () => {
    await until('the target is unhealthy', async () => {
      const { walk } = await json(['why', 'shop-app'], 4)
      return walk.some((one: { saw: string }) => one.saw.includes('unhealthy'))
    })
    world.app.status = 404 // an answer of the application, but not what the health check takes
    const { stdout } = await world.polebean(['why', 'shop-app'])
    assert.match(stdout, /It answers: HTTP 404 from shop-app\. Not healthy: i-[0-9a-f]{17}.*\.\n$/)
    world.app.status = 200
  })
})

describe('open', () => {
  const browser = (script: string) => {
    const bin = join(world.base, 'bin')
    mkdirSync(bin, { recursive: true })
    writeFileSync(join(bin, 'xdg-open'), `#!/bin/sh\n${script}\n`)
    chmodSync(join(bin, 'xdg-open'), 0o755)
    return { PATH: `${bin}:${process.env.PATH}` }
  }
  it('opens the URL, says when that failed, and does not wait for the browser', async () => {
    const file = join(world.base, 'opened')
    const { url } = await json(['status', 'shop-app'])
    const ran = await world.polebean(['open', 'shop-app'], { env: browser(`echo "$1" > '${file}'`) })
    assert.deepEqual([ran.stdout, ran.stderr, readFileSync(file, 'utf8')], [`${url}\n`, '', `${url}\n`])

    const failed = await world.polebean(['open', 'shop-app', '--json'], { env: browser('exit 3'), status: 1 })
    assert.deepEqual(JSON.parse(failed.stdout), { url, opened: false })
    assert.match(failed.stderr, /no browser could be opened \(xdg-open: exit 3\)/)

    const closed = join(world.base, 'closed')
    const env = browser(`while [ ! -e '${closed}' ]; do sleep 0.1; done`)
    const slow = await world.polebean(['open', 'shop-app'], { env })
    assert.equal(existsSync(closed), false)
    writeFileSync(closed, '')
    assert.equal(slow.stdout, `${url}\n`)
  })
})

describe('service', () => {
  it('is refused in a sentence where systemd does not run the machine, and says what to do instead', async (t) => {
    if (existsSync('/run/systemd/system')) return t.skip('systemd runs this machine')
    for (const verb of ['install', 'status', 'uninstall']) {
      const { stdout, stderr } = await world.polebean(['service', verb, '--json'], { status: 1 })
      assert.equal(stdout, '')
      assert.match(
        stderr,
        /^polebean: systemd does not run this machine, .*: \S+\/bin\/polebean start --home \S+ .*\n$/,
      )
    }
  })
  it('is one of three, by name', async () => {
    await world.polebean(['service'], { status: 2 })
    await world.polebean(['service', 'enable'], { status: 2 })
  })
})

describe('completion', () => {
  const complete = async (words: string[], env: Record<string, string> = {}) =>
    (await world.polebean(['complete', '--', ...words], { env })).stdout.split('\n').filter(Boolean)

  it('knows commands, options and environments', async () => {
    assert.deepEqual(await complete(['st']), ['status', 'start'])
    assert.deepEqual(await complete(['status', '']), ['blog-app', 'shop-app'])
    assert.deepEqual(await complete(['status', 'b']), ['blog-app'])
    assert.deepEqual(await complete(['keys', 'r']), ['rotate', 'revoke'])
    assert.ok((await complete(['keys', 'rotate', '--g'])).includes('--grace'))
    assert.deepEqual(await complete(['status', 'blog-app', '']), [])
    assert.deepEqual(await complete(['scale', '2', 's']), ['shop-app'])
    assert.deepEqual(await complete(['scale', '']), [])
    assert.deepEqual(await complete(['setenv', '-e', '']), ['blog-app', 'shop-app'])
    assert.deepEqual(await complete(['up', '--name', '=', 'shop']), ['shop-app'])
    assert.deepEqual(await complete(['up', '--n']), ['--name'])
    assert.deepEqual(await complete(['--home', world.dir, 'why', 'shop']), ['shop-app'])
    assert.deepEqual(await complete(['completion', '']), ['bash', 'zsh', 'fish'])
    assert.deepEqual(await complete(['config', '']), ['get', 'set', 'unset', 'edit'])
    assert.deepEqual(await complete(['config', 'set', 'listeners.']), [
      'listeners.http',
      'listeners.publicAddresses',
    ])
    assert.deepEqual(await complete(['config', 'set', 'limits.instances', '']), [])
    assert.deepEqual(await complete(['exec', 'aws', '--pro']), [])
    assert.deepEqual(await complete(['service', 'un']), ['uninstall'])
    assert.deepEqual(await complete(['service', 'status', '--j']), ['--json'])
    assert.deepEqual(await complete(['service', 'status', '']), [])
    assert.ok(!(await complete([''])).includes('complete'))
  })
  it('is silent without a home', async () => {
    const ran = await world.polebean(['complete', '--', 'status', ''], { env: { POLEBEAN_HOME: '/nowhere' } })
    assert.deepEqual(ran, { status: 0, stdout: '', stderr: '' })
  })
  it('works in bash', async () => {
    const script = join(world.base, 'completion.bash')
    writeFileSync(script, (await world.polebean(['completion', 'bash'])).stdout)
    assert.equal((await runProgram(['bash', '-n', script])).status, 0)
    const press = `source '${script}'
      COMP_WORDS=(polebean setenv -e blog); COMP_CWORD=3; _polebean; echo "\${COMPREPLY[@]}"
      COMP_WORDS=(polebean lo); COMP_CWORD=1; _polebean; echo "\${COMPREPLY[@]}"
      COMP_WORDS=(polebean logs --fo); COMP_CWORD=2; _polebean; echo "\${COMPREPLY[@]}"
      complete -p polebean`
    const { stdout, stderr } = await runProgram(['bash', '-c', press], { env: world.env, cwd: world.base })
    assert.equal(stderr, '')
    assert.deepEqual(stdout.split('\n').slice(0, 4), [
      'blog-app',
      'logs',
      '--follow',
      'complete -o default -F _polebean polebean',
    ])
  })
  it('works in fish, and is valid zsh, where these are installed', async (test) => {
    for (const shell of ['zsh', 'fish']) {
      const { stdout } = await world.polebean(['completion', shell])
      assert.match(stdout, /bin\/polebean'? complete -- /)
      const script = join(world.base, `completion.${shell}`)
      writeFileSync(script, stdout)
      const found = await runProgram(['sh', '-c', `command -v ${shell}`])
      if (found.status !== 0) {
        test.diagnostic(`${shell} is not installed here: only the text of its completion was checked`)
        continue
      }
      assert.equal((await runProgram([shell, '-n', script])).status, 0, shell)
      if (shell === 'zsh') continue // its completion needs a terminal
      const press = `source '${script}'; complete -C 'polebean setenv -e blog'; complete -C 'polebean lo'`
      const pressed = await runProgram(['fish', '-c', press], { env: world.env, cwd: world.base })
      assert.deepEqual(pressed, { status: 0, stdout: 'blog-app\nlogs\n', stderr: '' })
    }
  })
})
