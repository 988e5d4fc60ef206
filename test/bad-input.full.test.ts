// Bad input gets AWS's error or a plain sentence, and changes nothing.
import assert from 'node:assert/strict'
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import * as eb from '@aws-sdk/client-elastic-beanstalk'
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { readCredentials } from '../src/home.ts'
import { zipOf, type FixtureEntry } from '../src/platforms/zip-fixture.ts'
import { makeTestHome, root, runProgram } from './support/home.ts'
import { environments, until } from './support/world.ts'

const PYTHON = '64bit Amazon Linux 2023 v4.6.0 running Python 3.11'
const A_BUG = [/bug in Polebean/, /\n {4}at /]
const FLASK =
  'from flask import Flask\napplication = Flask(__name__)\n\n\n@application.get("/")\ndef index():\n    return "ok"\n'

describe('bad input', { concurrency: 1 }, () => {
  const home = makeTestHome()
  const base = dirname(home.dir)
  after(async () => assert.deepEqual(await home.remove(), []))

  /** A folder of the files given. */
  const folder = (name: string, files: Record<string, string | undefined>) => {
    for (const [path, content] of Object.entries(files)) {
      if (content === undefined) continue
      mkdirSync(dirname(join(base, name, path)), { recursive: true })
      writeFileSync(join(base, name, path), content)
    }
    return join(base, name)
  }
  /** Runs the command line, which must end with the status given and a sentence, not a stack; answers the sentence. */
  const fails = async (args: string[], status: number, env: Record<string, string> = {}) => {
    const { stderr } = await home.polebean(args, { status, env })
    for (const pattern of A_BUG) assert.doesNotMatch(stderr, pattern)
    return stderr.trim().split('\n').at(-1) ?? ''
  }

  describe('before there is a home', () => {
    it('every command says that there is none, and env does so inside eval', async () => {
      for (const args of [
        ['list'],
        ['status'],
        ['events'],
        ['logs'],
        ['printenv'],
        ['why', 'x'],
        ['terminate', '--force'],
      ])
        assert.match(await fails(args, 1), /^polebean: there is no Polebean home in .*npm run up/)
      assert.match(await fails(['down', '--force'], 1), /there is no Polebean home in/)
      const script = `eval "$(${join(root, 'bin/polebean')} env)" && echo went on`
      const ran = await runProgram(['bash', '-c', script], { env: { POLEBEAN_HOME: home.dir } })
      assert.notEqual(ran.status, 0)
      assert.doesNotMatch(ran.stdout, /went on/)
      assert.match(ran.stderr, /there is no Polebean home/)
    })

    it('a wrong command line is status 2', async () => {
      await fails(['no-such-command'], 2)
      await fails(['list', '--no-such-option'], 2)
      await fails(['scale'], 2)
      await fails(['exec', '--'], 2)
      await fails(['completion', 'tcsh'], 2)
      for (const shell of ['bash', 'zsh', 'fish'])
        assert.match((await home.polebean(['completion', shell])).stdout, /polebean/)
    })

    it('a folder that is none, or holds no application, is refused before anything starts', async () => {
      assert.match(await fails(['up', join(base, 'nowhere')], 2), /nowhere is not a folder/)
      assert.match(await fails(['up', join(root, 'README.md')], 2), /README\.md is not a folder/)
      assert.match(await fails(['up', folder('nothing', { 'notes.txt': 'x' })], 1), /holds no application/)
      const plain = folder('no-callable', { 'requirements.txt': 'Flask\n', 'tool.py': 'print(1)\n' })
      assert.match(await fails(['up', plain], 1), /no WSGI application was found/)
      assert.match(
        await fails(['up', folder('plain', { 'app.py': FLASK }), '--env', 'NOVALUE'], 2),
        /'NOVALUE' is not NAME=VALUE/,
      )
      assert.equal(existsSync(home.dir), false)
    })

    it('doctor names the engine that is missing and the package that brings it', async () => {
      const script = 'mount --bind /dev/null /usr/sbin/haproxy && exec "$1" doctor --json'
      const ran = await runProgram(['unshare', '-m', 'sh', '-c', script, 'sh', join(root, 'bin/polebean')], {
        env: { POLEBEAN_HOME: home.dir },
      })
      assert.equal(ran.status, 1, ran.stderr)
      const checks = JSON.parse(ran.stdout) as { name: string; ok: boolean; saw: string }[]
      const clients = ['aws', 'eb', 'boto3']
      const bad = checks.filter(({ ok, name }) => !ok && !clients.includes(name))
      assert.deepEqual(bad, [{ name: 'haproxy', ok: false, saw: 'not found (apt-get install haproxy)' }])
    })

    it('a user who is not root is told so', async () => {
      // Mounted elsewhere, since the clone may lie where nobody else can look.
      const script =
        'mount --bind "$1" /mnt && cd /mnt && exec setpriv --reuid=65534 --regid=65534 --clear-groups /mnt/bin/polebean "$2"'
      const asNobody = (command: string, dir: string) =>
        runProgram(['unshare', '-m', 'sh', '-c', script, 'sh', root, command], {
          env: { POLEBEAN_HOME: dir, HOME: '/nonexistent' },
        })
      const nowhere = '/var/lib/polebean-of-nobody'
      const server = await asNobody('server', nowhere)
      assert.equal(server.status, 2, server.stderr)
      assert.match(server.stderr, /^polebean: the server needs root/m)
      const up = await asNobody('up', nowhere)
      assert.equal(up.status, 1, up.stderr)
      assert.match(up.stderr, /this needs root, and sudo cannot be run|start failed/)
      const closed = await asNobody('list', home.dir)
      assert.equal(closed.status, 1, closed.stderr)
      assert.match(closed.stderr, /^polebean: the home .* cannot be read: EACCES/)
      for (const { stderr } of [server, up, closed])
        for (const pattern of A_BUG) assert.doesNotMatch(stderr, pattern)
      assert.equal(existsSync(nowhere), false)
    })
  })

  describe('with a home', () => {
    before(async () => {
      await home.polebean([
        'up',
        folder('good', { 'application.py': FLASK, 'requirements.txt': 'Flask\n' }),
        '--name',
        'good-env',
      ])
    })

    const clients = async () => {
      const { region, ports } = home.settings()
      const settings = {
        endpoint: `http://127.0.0.1:${ports.api}`,
        region,
        credentials: readCredentials(home.dir),
      }
      const client = new eb.ElasticBeanstalkClient(settings)
      const s3 = new S3Client({ ...settings, forcePathStyle: true })
      const { S3Bucket: bucket } = await client.send(new eb.CreateStorageLocationCommand())
      const put = (Key: string, Body: Buffer) => s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body }))
      return { bucket, client, put }
    }

    it('environments that are not named or not there are told', async () => {
      assert.match(
        await fails(['status', 'nobody'], 4),
        /No Environment found for EnvironmentName = 'nobody'\. There are: good-env\./,
      )
      const elsewhere = await home.polebean(['why', 'http://elsewhere.example/'], { status: 4 })
      assert.match(elsewhere.stdout, /No environment has that name; there are: good-env\.us-west-2\./)
      assert.match(await fails(['terminate', 'good-env'], 2), /needs --force/)
      assert.match(await fails(['setenv', 'NOVALUE'], 2), /'NOVALUE' is not NAME=VALUE/)
      assert.match(await fails(['scale', 'many'], 2), /'many' is not a number of instances/)
    })

    it('what --json prints is JSON', async () => {
      for (const args of [['list'], ['status'], ['printenv'], ['why', 'good-env']])
        JSON.parse((await home.polebean([...args, '--json'])).stdout)
      for (const args of [['events'], ['logs']])
        for (const line of (await home.polebean([...args, '--json'])).stdout.trim().split('\n'))
          JSON.parse(line)
      assert.ok(Array.isArray(JSON.parse((await home.polebean(['doctor', '--json'])).stdout)))
    })

    it('bundles that are dangerous or not what they seem fail with their reason', async () => {
      const app: FixtureEntry = { name: 'application.py', content: FLASK }
      const bundles: [label: string, bytes: Buffer, reason: RegExp][] = [
        ['not-a-zip', Buffer.from('#!/bin/sh\n'.repeat(100)), /not a zip file/],
        [
          'slip',
          zipOf([app, { name: '../../etc/cron.d/x', content: 'x' }]),
          /'\.\.\/\.\.\/etc\/cron\.d\/x' leads out of the bundle/,
        ],
        [
          'link',
          zipOf([app, { name: 'shadow', content: '/etc/shadow', mode: 0o120777 }]),
          /'shadow' leads out of the bundle/,
        ],
        [
          'bomb',
          zipOf([app, { name: 'zeros', content: Buffer.alloc(200 << 20) }]),
          /'zeros' would unpack to \d+ times its size/,
        ],
        ['parent', zipOf([{ name: 'shop/application.py', content: FLASK }]), /holds one folder, 'shop\/'/],
        ['empty', zipOf([]), /empty|not a zip/],
      ]
      const { bucket, client, put } = await clients()
      await client.send(new eb.CreateApplicationCommand({ ApplicationName: 'bad' }))
      for (const [label, bytes, reason] of bundles) {
        await put(`bad/${label}.zip`, bytes)
        const version = { ApplicationName: 'bad', VersionLabel: label }
        const SourceBundle = { S3Bucket: bucket, S3Key: `bad/${label}.zip` }
        await client.send(new eb.CreateApplicationVersionCommand({ ...version, SourceBundle, Process: true }))
        const described = () =>
          client.send(
            new eb.DescribeApplicationVersionsCommand({ ApplicationName: 'bad', VersionLabels: [label] }),
          )
        await until(
          `${label} is processed`,
          async () => !/^processing$/i.test((await described()).ApplicationVersions?.[0]?.Status ?? ''),
        )
        const creation = client.send(
          new eb.CreateEnvironmentCommand({
            ...version,
            EnvironmentName: `bad-${label}`,
            SolutionStackName: PYTHON,
          }),
        )
        await assert.rejects(creation, { name: 'InvalidParameterValue', message: reason })
      }
      const { Environments } = await client.send(
        new eb.DescribeEnvironmentsCommand({ ApplicationName: 'bad' }),
      )
      assert.deepEqual(Environments, [])
    })

    it('a bundle of 600 MB is refused', async () => {
      const { bucket, client, put } = await clients()
      await put('bad/huge.zip', Buffer.alloc(600 << 20))
      const creation = client.send(
        new eb.CreateApplicationVersionCommand({
          ApplicationName: 'bad',
          VersionLabel: 'huge',
          SourceBundle: { S3Bucket: bucket, S3Key: 'bad/huge.zip' },
        }),
      )
      const message = /629145600 bytes\. The size limit is 536870912 bytes/
      await assert.rejects(creation, { name: 'InvalidParameterValue', message })
    })

    it('wrong options and taken names change nothing', async () => {
      const update = [
        'elasticbeanstalk',
        'update-environment',
        '--environment-name',
        'good-env',
        '--option-settings',
      ]
      const setting = (namespace: string, option: string, value: string) => [
        ...update,
        `Namespace=${namespace},OptionName=${option},Value=${value}`,
      ]
      const before = await home.aws(['elasticbeanstalk', 'describe-events', '--environment-name', 'good-env'])
      const version = (await environments(home)).find(({ name }) => name === 'good-env')?.version ?? ''
      const refused: [string[], RegExp][] = [
        [setting('aws:autoscaling:asg', 'MinSize', 'many'), /ConfigurationValidationException.*MinSize/],
        [
          setting('aws:autoscaling:asg', 'NoSuchOption', '1'),
          /ConfigurationValidationException.*NoSuchOption/,
        ],
        [setting('aws:no:such', 'X', '1'), /ConfigurationValidationException/],
        [setting('aws:elasticbeanstalk:environment', 'EnvironmentType', 'Single'), /EnvironmentType/],
        [
          [
            'elasticbeanstalk',
            'update-environment',
            '--environment-name',
            'good-env',
            '--version-label',
            'none',
          ],
          /No Application Version named 'none' found/,
        ],
        [
          ['elasticbeanstalk', 'terminate-environment', '--environment-name', 'none-env'],
          /No Environment found for EnvironmentName = 'none-env'/,
        ],
        [
          [
            ...['elasticbeanstalk', 'create-environment', '--application-name', 'good-env'],
            ...['--environment-name', 'other-env', '--cname-prefix', 'good-env'],
            ...['--solution-stack-name', PYTHON, '--version-label', version],
          ],
          /InvalidParameterValue.*DNS name \(good-env\.us-west-2\.elasticbeanstalk\.\S+\) is not available/,
        ],
        [
          ['elasticbeanstalk', 'rebuild-environment', '--environment-name', 'good-env'],
          /UnsupportedOperation.*not implemented/,
        ],
      ]
      for (const [args, expected] of refused) assert.match(await home.awsFails(args), expected)
      const cname = await home.aws([
        'elasticbeanstalk',
        'check-dns-availability',
        '--cname-prefix',
        'good-env',
      ])
      assert.equal(cname.Available, false)
      assert.deepEqual(
        await home.aws(['elasticbeanstalk', 'describe-events', '--environment-name', 'good-env']),
        before,
      )
    })

    it('what must not be uploaded is left out, and secrets are warned of', async () => {
      const dir = folder('ignoring', {
        'application.py':
          'import os\nfrom flask import Flask\napplication = Flask(__name__)\n\n\n@application.get("/")\ndef index():\n    return " ".join(sorted(os.listdir("/var/app/current")))\n',
        'requirements.txt': 'Flask\n',
        '.gitignore': 'from-gitignore\n',
        '.ebignore': '*.secret\n',
        '.env': 'TOKEN=x\n',
        'from-gitignore': 'kept, since there is an .ebignore',
        'a.secret': 'x',
        'venv/pyvenv.cfg': 'home = /usr\n',
        'node_modules/left/index.js': '',
        '.git/HEAD': 'ref: x\n',
      })
      const { stderr, stdout } = await home.polebean(['up', dir])
      assert.match(stderr, /Warning: \.env looks like a secret/)
      const { body } = await home.get(new URL(stdout.trim()).hostname)
      const held = body.split(' ').filter((name) => name !== '__pycache__')
      assert.deepEqual(held, [
        '.ebignore',
        '.env',
        '.gitignore',
        'application.py',
        'from-gitignore',
        'requirements.txt',
      ])
      assert.match(await fails(['printenv'], 2), /which environment\? There are: good-env, ignoring\./)
      await home.polebean(['terminate', 'ignoring', '--force'])
    })

    it('applications that cannot start fail with a sentence that names the cause', async () => {
      const apps: [name: string, files: Record<string, string | undefined>, cause: RegExp][] = [
        [
          'syntax',
          { 'application.py': 'from flask import Flask\napplication = Flask(__name__\n' },
          /SyntaxError: .*\(application\.py:2\)/,
        ],
        [
          'module',
          { 'application.py': `import requests\n${FLASK}` },
          /module 'requests' is not installed \(application\.py:1\)/,
        ],
        [
          'package',
          { 'application.py': FLASK, 'requirements.txt': 'no-such-package-ever==1.0\n' },
          /package index has no 'no-such-package-ever==1\.0'/,
        ],
        [
          'variable',
          { 'application.py': `import os\nTOKEN = os.environ["API_TOKEN"]\n${FLASK}` },
          /environment property API_TOKEN is not set \(application\.py:2\)/,
        ],
        [
          'wrong-port',
          { 'application.py': FLASK, Procfile: 'web: python3 -m http.server 9999 --bind 127.0.0.1\n' },
          /listens on port 9999, not on port 8000/,
        ],
        [
          'no-requirements',
          { 'application.py': FLASK, 'requirements.txt': undefined },
          /module 'flask' is not installed .*requirements\.txt/,
        ],
        [
          'nothing-named',
          { 'application.py': FLASK, 'requirements.txt': '' },
          /module 'flask' is not installed .*requirements\.txt/,
        ],
      ]
      await Promise.all(
        apps.map(async ([name, files, cause]) => {
          const dir = folder(name, { 'requirements.txt': 'Flask\n', ...files })
          assert.match(await fails(['up', dir, '--name', `bad-${name}`], 4), cause, name)
        }),
      )
      const status = JSON.parse((await home.polebean(['list', '--json'])).stdout) as {
        name: string
        health: string
      }[]
      assert.deepEqual(
        status.filter(({ health }) => health === 'Green').map(({ name }) => name),
        ['good-env'],
      )
      const { stdout: why } = await home.polebean(['why', 'bad-syntax'], { status: 4 })
      assert.match(why.trim().split('\n').at(-1) ?? '', /^No instance is healthy: .*SyntaxError/)
      await Promise.all(apps.slice(1).map(([name]) => home.polebean(['terminate', `bad-${name}`, '--force'])))
    })

    it('an environment that failed is put right by the next version', async () => {
      const dir = folder('syntax', { 'application.py': FLASK })
      const { stdout } = await home.polebean(['up', dir, '--name', 'bad-syntax'])
      assert.equal((await home.get(new URL(stdout.trim()).hostname)).body, 'ok')
      await home.polebean(['terminate', 'bad-syntax', '--force'])
    })

    it('a module that WSGIPath names and the bundle lacks is named', async () => {
      const setting = 'Namespace=aws:elasticbeanstalk:container:python,OptionName=WSGIPath,Value=shop.web:app'
      await home.aws([
        'elasticbeanstalk',
        'update-environment',
        '--environment-name',
        'good-env',
        '--option-settings',
        setting,
      ])
      await until(
        'good-env is Ready',
        async () => (await environments(home)).find(({ name }) => name === 'good-env')?.status === 'Ready',
        120_000,
      )
      const { stdout } = await home.polebean(['events', 'good-env'])
      assert.match(stdout, /WSGIPath names the module 'shop(\.web)?', which is not in the bundle/)
    })

    it('a port that somebody else took is named with its holder, a newer home is left alone', async () => {
      const { stdout } = await home.polebean(['down', '--json'])
      assert.deepEqual(JSON.parse(stdout), { home: home.dir, purged: false })
      const settings = home.settings()
      const holder = createServer().listen(settings.ports.api, '127.0.0.1')
      try {
        const said = await home.polebean(['up', join(base, 'good'), '--name', 'good-env'], { status: 1 })
        assert.match(
          said.stderr,
          new RegExp(`port ${settings.ports.api} is taken by \\S+ \\(pid ${process.pid}\\)`),
        )
      } finally {
        holder.close()
      }
      const path = join(home.dir, 'home.json')
      copyFileSync(path, `${path}.kept`)
      const newer = readFileSync(path, 'utf8').replace('"format": 1', '"format": 99')
      writeFileSync(path, newer)
      for (const args of [['list'], ['up', join(base, 'good')], ['down', '--purge', '--force']])
        assert.match(await fails(args, 1), /written by a newer version of Polebean \(format 99/)
      assert.equal(readFileSync(path, 'utf8'), newer)
      copyFileSync(`${path}.kept`, path)
      assert.match(await fails(['list'], 1), /is not running; start it with: npm run up/)
    })
  })
})
