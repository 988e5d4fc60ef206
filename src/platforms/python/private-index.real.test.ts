// A package index with a password, as pip's configuration of the machine's owner names it, reached from the build sandbox.
import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { run, runOk } from '../../kernel/process.ts'
import { makeDeployer, reasonToSkip, until, type Deployer } from '../test-deployment.ts'
import { zipOf } from '../zip-fixture.ts'

const ADDRESS = '198.18.79.2'
const PASSWORD = 's3cr3t!'

describe('a private package index', { skip: reasonToSkip }, () => {
  const dir = mkdtempSync(join(tmpdir(), 'index-real-'))
  let deployer: Deployer
  let server: ChildProcess | undefined
  let outside = ''

  before(async () => {
    deployer = await makeDeployer()
    const { router, home } = deployer.test
    outside = `pbx-${home.id}`
    const link = `pbx${home.id}`
    await runOk(['ip', 'netns', 'add', outside])
    await runOk(['ip', 'link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', outside])
    await runOk(['ip', 'addr', 'add', ADDRESS.replace(/2$/, '1/30'), 'dev', link])
    await runOk(['ip', 'link', 'set', link, 'up'])
    await runOk(['ip', '-n', outside, 'addr', 'add', `${ADDRESS}/30`, 'dev', 'eth0'])
    await runOk(['ip', '-n', outside, 'link', 'set', 'eth0', 'up'])
    await deployer.compute.ensure()
    await makeIndex(dir)
    const [file = '', ...args] = router.execIn(outside, ['/usr/bin/python3', '-c', SERVE, dir, PASSWORD])
    server = spawn(file, args, { stdio: 'ignore' })
    const probe = router.execIn(outside, ['curl', '-s', `http://${ADDRESS}:8000/`])
    await until('the index answers', async () => (await run(probe)).exit === 0)
  })
  after(async () => {
    server?.kill('SIGKILL')
    await run(['ip', 'netns', 'del', outside])
    rmSync(dir, { recursive: true })
    await deployer.end()
  })
  const deploy = (password: string) =>
    deployer.deploy(
      'python',
      [
        { name: 'requirements.txt', content: 'polebean-private-zzz\n' },
        { name: 'shop.py', content: `from polebean_private_zzz import app\n# ${password.length}\n` },
      ],
      {
        python: { wsgiPath: 'shop:app', numProcesses: 1, numThreads: 1 },
        environment: {
          PIP_INDEX_URL: `http://owner:${encodeURIComponent(password)}@${ADDRESS}:8000/simple/`,
          PIP_TRUSTED_HOST: ADDRESS,
          PIP_FIND_LINKS: '',
        },
      },
    )

  it('refuses a wrong password, which the event does not repeat', async () => {
    const { failure } = await deploy('wrong-one')
    assert.match(failure, /the package index refuses the credentials of your pip configuration/)
    assert.ok(!failure.includes('wrong-one'), failure)
  })

  it('gives its packages to the build, and no instance sees the password', async () => {
    const { failure, ask, inside } = await deploy(PASSWORD)
    assert.equal(failure, '')
    assert.equal((await ask('/')).text, 'from the private index')
    const search = `grep -rlsF '${PASSWORD}' /etc /opt /var/app /var/log /home /run /tmp || true`
    assert.equal(await inside(['/bin/sh', '-c', search]), '')
  })
})

/** A wheel of our own; what the platform adds comes from the machine's own index. */
async function makeIndex(dir: string): Promise<void> {
  const simple = join(dir, 'simple')
  const place = (name: string) => {
    mkdirSync(join(simple, name), { recursive: true })
    return join(simple, name)
  }
  const info = 'polebean_private_zzz-1.0.dist-info'
  const app = `def app(environ, start_response):
    start_response("200 OK", [("content-type", "text/plain")])
    return [b"from the private index"]
`
  const wheel = zipOf([
    { name: 'polebean_private_zzz.py', content: app },
    {
      name: `${info}/METADATA`,
      content: 'Metadata-Version: 2.1\nName: polebean-private-zzz\nVersion: 1.0\n',
    },
    { name: `${info}/WHEEL`, content: 'Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n' },
    { name: `${info}/RECORD`, content: `polebean_private_zzz.py,,\n${info}/METADATA,,\n${info}/WHEEL,,\n` },
  ])
  writeFileSync(join(place('polebean-private-zzz'), 'polebean_private_zzz-1.0-py3-none-any.whl'), wheel)
  const download = ['/usr/bin/python3', '-m', 'pip', 'download', '--quiet', '--no-deps', '--dest']
  for (const [name, requirement] of [
    ['gunicorn', 'gunicorn==23.0.0'],
    ['packaging', 'packaging'],
  ] as const)
    await runOk([...download, place(name), requirement], { timeoutMs: 120_000 })
}

// Lists folders, as a simple index does, to those who say the password.
const SERVE = `import base64, functools, http.server, sys
folder, password = sys.argv[1:]
class Handler(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        right = "Basic " + base64.b64encode(("owner:" + password).encode()).decode()
        if self.headers.get("Authorization") == right:
            return super().do_GET()
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="index"')
        self.send_header("Content-Length", "0")
        self.end_headers()
handler = functools.partial(Handler, directory=folder)
http.server.ThreadingHTTPServer(("${ADDRESS}", 8000), handler).serve_forever()
`
