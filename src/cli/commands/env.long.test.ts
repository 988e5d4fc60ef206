// `env` and `exec`, run as a user runs them: in /bin/sh, with the user's own AWS files and variables.
import assert from 'node:assert/strict'
import {
  chmodSync,
  copyFileSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { once } from 'node:events'
import { after, before, describe, it } from 'node:test'
import {
  BIN,
  CREDENTIALS,
  cli,
  endOf,
  makeCliWorld,
  runProgram,
  type CliWorld,
} from '../testing/cli-world.ts'

let world: CliWorld
before(async () => (world = await makeCliWorld()))
after(async () => assert.deepEqual(await world.end(), []))

/** Runs lines in /bin/sh, in which `polebean` is the command line. */
const shell = (lines: string, env: Record<string, string> = {}, program = cli([])) => {
  const script = `polebean() { ${program.map((one) => `'${one}'`).join(' ')} "$@"; }\n${lines}`
  return runProgram(['/bin/sh', '-c', script], { cwd: world.base, env: { ...world.env, ...env } })
}
const say = 'env | grep -iE "^(aws_|no_proxy|polebean_no)" | sort'

describe('env', () => {
  it('points a shell at the home and takes away what would win over that', async () => {
    const foreign = {
      AWS_PROFILE: 'work',
      AWS_SESSION_TOKEN: 'x',
      AWS_ENDPOINT_URL_S3: 'https://s3.example',
      NO_PROXY: 'corp,localhost',
    }
    const { stdout, stderr, status } = await shell(`eval "$(polebean env)"\n${say}`, foreign)
    assert.equal(stderr, '')
    assert.equal(status, 0)
    const set = Object.fromEntries(
      stdout
        .trim()
        .split('\n')
        .map((line) => line.split('=') as [string, string]),
    )
    assert.deepEqual(set, {
      AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
      AWS_DEFAULT_REGION: 'us-west-2',
      AWS_ENDPOINT_URL: `http://127.0.0.1:${world.ports.api}`,
      AWS_REGION: 'us-west-2',
      AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
      NO_PROXY: 'corp,localhost,127.0.0.1,.localhost,::1',
      no_proxy: 'corp,localhost,127.0.0.1,.localhost,::1',
      POLEBEAN_NO_PROXY: '127.0.0.1,.localhost,::1',
    })
  })
  it('--unset leaves what the user had, also after a second env', async () => {
    const twice = 'eval "$(polebean env)"; eval "$(polebean env)"; eval "$(polebean env --unset)"'
    const had = await shell(`${twice}\n${say}`, { NO_PROXY: 'corp,localhost' })
    assert.equal(had.stdout, 'NO_PROXY=corp,localhost\nno_proxy=corp,localhost\n')
    assert.equal((await shell(`${twice}\n${say}`)).stdout, '')
  })
  it('--json says the same', async () => {
    const { set, unset } = JSON.parse((await world.polebean(['env', '--json'])).stdout)
    assert.equal(set.AWS_REGION, 'us-west-2')
    assert.ok(unset.includes('AWS_PROFILE'))
  })

  describe('fails loudly inside eval', () => {
    const fails = async (what: string, env: Record<string, string>, expected: RegExp, program?: string[]) => {
      const { stdout, stderr, status } = await shell(
        `set -e\neval "$(polebean ${what} 2>/dev/null)"\necho went on`,
        env,
        program,
      )
      assert.deepEqual([status, stdout], [1, ''], stderr)
      assert.match(stderr, expected)
    }
    it('without a home', () =>
      fails('env', { POLEBEAN_HOME: '/nowhere' }, /nothing was set: there is no Polebean home/))
    it('with an unknown option', () =>
      fails("env --it\\'s", {}, /nothing was set: error: unknown option '--it's'/))
    it('with a home of a newer version', async () => {
      const dir = world.folder('newer', { 'home.json': '{"format": 99}' })
      await fails('env', { POLEBEAN_HOME: dir }, /written by a newer version/)
    })
    it('with broken credentials', async () => {
      for (const [content, expected] of [
        ['{', /the access key in .*credentials\.json cannot be read: /],
        ['{}', /it has not both accessKeyId/],
      ] as const) {
        const dir = world.folder('broken', {
          'home.json': JSON.stringify(world.settings),
          'credentials.json': content,
        })
        await fails('env', { POLEBEAN_HOME: dir }, expected)
      }
    })
    it('before setup, when there is no Node', async () => {
      mkdirSync(join(world.base, 'clone/bin'), { recursive: true })
      copyFileSync(BIN, join(world.base, 'clone/bin/polebean'))
      const program = [join(world.base, 'clone/bin/polebean')]
      for (const what of ['env', '--home /x env', '--home=/x env --unset'])
        await fails(what, {}, /nothing was set: it is not set up yet/, program)
      const { stdout, stderr, status } = await shell('polebean exec -- env', {}, program)
      assert.deepEqual([status, stdout], [1, ''])
      assert.match(stderr, /not set up yet; run: npm run setup/)
    })
  })
})

describe('env --profile', () => {
  it('adds the profile to the files that AWS_* names, through a link, and takes it back', async () => {
    const dotfiles = join(world.base, 'dotfiles')
    mkdirSync(dotfiles)
    writeFileSync(join(dotfiles, 'config'), '[default]\nregion = eu-central-1')
    chmodSync(join(dotfiles, 'config'), 0o644)
    symlinkSync('dotfiles/config', join(world.base, 'config'))
    const env = { AWS_CONFIG_FILE: '~/config', AWS_SHARED_CREDENTIALS_FILE: join(world.base, 'keys') }
    await world.polebean(['env', '--profile'], { env })
    assert.ok(lstatSync(join(world.base, 'config')).isSymbolicLink())
    assert.equal(
      readFileSync(join(dotfiles, 'config'), 'utf8'),
      `[default]\nregion = eu-central-1\n[profile polebean]\nregion = us-west-2\nendpoint_url = http://127.0.0.1:${world.ports.api}\n`,
    )
    assert.equal(statSync(join(dotfiles, 'config')).mode & 0o777, 0o644)
    assert.match(
      readFileSync(env.AWS_SHARED_CREDENTIALS_FILE, 'utf8'),
      /^\[polebean\]\naws_access_key_id = PBLN/,
    )
    assert.equal(statSync(env.AWS_SHARED_CREDENTIALS_FILE).mode & 0o777, 0o600)
    await world.polebean(['env', '--profile', '--unset'], { env })
    assert.equal(readFileSync(join(dotfiles, 'config'), 'utf8'), '[default]\nregion = eu-central-1\n')
    assert.equal(readFileSync(env.AWS_SHARED_CREDENTIALS_FILE, 'utf8'), '')
  })
  it('says so when a file cannot be written', async () => {
    const env = { AWS_CONFIG_FILE: world.base, AWS_SHARED_CREDENTIALS_FILE: join(world.base, 'keys') }
    const { stderr } = await world.polebean(['env', '--profile'], { env, status: 1 })
    assert.match(stderr, /^polebean: the profile cannot be written: EISDIR/)
  })
  it('writes ~/.aws without those', async () => {
    const { stdout } = await world.polebean(['env', '--profile', '--json'])
    assert.deepEqual(JSON.parse(stdout), {
      profile: 'polebean',
      files: [join(world.base, '.aws/config'), join(world.base, '.aws/credentials')],
    })
  })
})

describe('exec', () => {
  it('hands on arguments, output and status', async () => {
    const ran = await world.polebean(
      ['exec', '--', 'sh', '-c', 'echo "$AWS_REGION $1"; exit 7', 'sh', 'a b'],
      {
        status: 7,
        env: { AWS_PROFILE: 'work' },
      },
    )
    assert.equal(ran.stdout, 'us-west-2 a b\n')
    assert.equal(
      (await world.polebean(['exec', '--', 'sh', '-c', 'echo ${AWS_PROFILE-none}'])).stdout,
      'none\n',
    )
  })
  it('ends as the command does after a signal: 128 + n', async () => {
    await world.polebean(['exec', '--', 'sh', '-c', 'kill -TERM $$'], { status: 143 })
    await world.polebean(['exec', '--', 'sh', '-c', 'kill -KILL $$'], { status: 137 })
  })
  it('hands SIGINT and SIGTERM on, and waits for what the command makes of it', async () => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      const child = world.begin([
        ...['exec', '--', process.execPath, '-e'],
        `process.on('${signal}', () => setTimeout(() => { console.log('tidied up'); process.exit(3) }, 200));
         setTimeout(() => {}, 10_000); console.log('ready')`,
      ])
      const end = endOf(child)
      await once(child.stdout!, 'data')
      child.kill(signal)
      assert.deepEqual(await end, { status: 3, stdout: 'ready\ntidied up\n', stderr: '' }, signal)
    }
  })
  it('says so when there is no such program', async () => {
    const { stderr } = await world.polebean(['exec', '--', 'no-such-program'], { status: 1 })
    assert.equal(stderr, 'polebean: cannot run no-such-program: no such program\n')
  })
})
