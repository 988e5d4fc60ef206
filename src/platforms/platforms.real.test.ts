// The samples on the real compute engine, and what is said when an application cannot be built or started.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { makeDeployer, reasonToSkip, sample, until, type Answer, type Deployer } from './test-deployment.ts'

describe('an application on the real compute engine', { skip: reasonToSkip }, () => {
  let deployer: Deployer
  before(async () => {
    deployer = await makeDeployer()
  })
  after(() => deployer.end())

  it('serves the Flask guestbook with gunicorn, nginx, its static files and its property', async () => {
    const { deploy, test } = deployer
    const greeting = `it's "me"  `
    const { failure, ask, log, inside } = await deploy('python', sample('flask-guestbook'), {
      env: { GREETING: greeting },
    })
    assert.equal(failure, '')
    assert.deepEqual(JSON.parse((await ask('/whoami')).text), {
      greeting,
      instance: `ip-${test.home.cidr.replace(/0\.0\/16$/, '1.1').replaceAll('.', '-')}`,
    })
    assert.match((await ask('/')).text, /Nobody has signed yet/)
    const css = await ask('/static/style.css')
    assert.equal(css.status, 200)
    assert.match(css.text, /color-scheme/)
    assert.equal((await ask('/', { method: 'POST', body: 'name=Ada&text=first+line' })).status, 302)
    assert.match((await ask('/')).text, /first line/)
    assert.match(await log('web.stdout.log'), /Booting worker/)
    const config = ['/opt/elasticbeanstalk/bin/get-config', 'environment']
    assert.deepEqual(JSON.parse(await inside(config)), { GREETING: greeting })
    assert.equal(await inside([...config, '-k', 'GREETING']), `${greeting}\n`)
  })

  it('serves the Node.js sample', async () => {
    const { failure, ask } = await deployer.deploy('nodejs', sample('node-hello'), {
      env: { GREETING: 'moin' },
    })
    assert.equal(failure, '')
    assert.equal(JSON.parse((await ask('/')).text).greeting, 'moin')
  })

  it('says which module is missing, with the command and the last lines of the log', async () => {
    const { failure } = await deployer.deploy('python', [
      { name: 'application.py', content: 'import flask\n' },
    ])
    const [sentence = '', command, ...lines] = failure.split('\n')
    assert.match(sentence, /The module 'flask' is not installed \(application\.py:1\)/)
    assert.equal(
      command,
      'Command: gunicorn --bind 127.0.0.1:8000 --workers=1 --threads=15 application:application',
    )
    assert.equal(lines[0], 'Last lines of /var/log/web.stdout.log:')
    assert.ok(lines.includes("ModuleNotFoundError: No module named 'flask'"))
  })

  it('says which port the application listens on instead', async () => {
    const serve =
      'import http.server as h\nh.HTTPServer(("", 5000), h.SimpleHTTPRequestHandler).serve_forever()\n'
    const { failure } = await deployer.deploy('python', [
      { name: 'serve.py', content: serve },
      { name: 'Procfile', content: 'web: python serve.py --any thing\n' },
    ])
    assert.match(failure, /^The application listens on port 5000, not on port 8000\./)
    assert.match(failure, /\nCommand: python serve\.py --any thing\n/)
  })

  it('says which package does not exist, with the command', async () => {
    const { failure } = await deployer.deploy('python', [
      { name: 'application.py', content: '' },
      { name: 'requirements.txt', content: 'Flask\nno-such-package-zzz==1.0\n' },
    ])
    assert.match(failure, /the package index has no 'no-such-package-zzz==1\.0'/)
    assert.match(failure, /\nCommand: \S+python -m pip .*install -r requirements\.txt\n/)
  })

  it('installs what the bundle itself holds, and restarts a process that dies', async () => {
    const { failure, ask } = await deployer.deploy(
      'python',
      [
        { name: 'lib/pyproject.toml', content: '[project]\nname = "shop"\nversion = "1"\n' },
        { name: 'lib/shop.py', content: SHOP },
        { name: 'requirements.txt', content: '-e ./lib\n' },
      ],
      { python: { wsgiPath: 'shop:app', numProcesses: 1, numThreads: 4 } },
    )
    assert.equal(failure, '')
    const first = await ask('/')
    assert.match(first.text, /^shop from \/var\/app\/current\/lib\/shop\.py by \d+$/)
    await ask('/die')
    const isAnother = ({ status, text }: Answer) => status === 200 && text !== first.text
    await until('another gunicorn answers', async () => isAnother(await ask('/')))
  })
})

const SHOP = `import os, signal
def app(environ, start_response):
    if environ["PATH_INFO"] == "/die":
        os.kill(os.getppid(), signal.SIGKILL)
    start_response("200 OK", [("content-type", "text/plain")])
    return [f"shop from {__file__} by {os.getppid()}".encode()]
`
