// What Elastic Beanstalk's Python platform promises, on the real compute engine.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { discover } from '../discover.ts'
import {
  entriesOf,
  makeDeployer,
  reasonToSkip,
  until,
  type Deployer,
  type Given,
} from '../test-deployment.ts'
import type { FixtureEntry } from '../zip-fixture.ts'

const PLAIN = `def app(environ, start_response):
    start_response("200 OK", [("content-type", "text/plain")])
    return [environ["PATH_INFO"].encode()]
`
const python = (wsgiPath: string, numProcesses = 1, numThreads = 1): Given => ({
  python: { wsgiPath, numProcesses, numThreads },
})

describe('the Python platform on the real compute engine', { skip: reasonToSkip }, () => {
  let deployer: Deployer
  const dir = mkdtempSync(join(tmpdir(), 'python-real-'))
  before(async () => {
    deployer = await makeDeployer()
  })
  after(async () => {
    rmSync(dir, { recursive: true })
    await deployer.end()
  })
  const deploy = async (files: Record<string, string>, given: Given = {}) => {
    const entries: FixtureEntry[] = Object.entries(files).map(([name, content]) => ({ name, content }))
    return deployer.deploy('python', entries, given)
  }
  /** As `up` does it: what the folder holds is found out first. */
  const up = async (name: string, files: Record<string, string>) => {
    const folder = join(dir, name)
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), text)
    }
    const found = await discover(folder)
    assert.ok(found.kind === 'found', JSON.stringify(found))
    const wsgiPath = found.settings.find(({ OptionName }) => OptionName === 'WSGIPath')?.Value
    assert.ok(wsgiPath)
    return { wsgiPath, ...(await deployer.deploy('python', entriesOf(folder), python(wsgiPath))) }
  }

  it('installs what a Pipfile names', async () => {
    const { failure, ask } = await deploy(
      {
        Pipfile: '[packages]\nitsdangerous = "==2.2.0"\n\n[requires]\npython_version = "3"\n',
        'shop.py': `import itsdangerous\n${PLAIN}`,
      },
      python('shop:app'),
    )
    assert.equal(failure, '')
    assert.equal((await ask('/there')).text, '/there')
  })

  it('installs what a Pipfile.lock pins, by its hashes', async () => {
    const hash = 'sha256:c6242fc49e35958c8b15141343aa660db5fc54d4f13a1db01a3f5891b98700ef'
    const locked = (hashes: string[]) =>
      JSON.stringify({
        _meta: { sources: [{ name: 'pypi', url: 'https://pypi.org/simple', verify_ssl: true }] },
        default: { itsdangerous: { hashes, version: '==2.2.0' } },
        develop: { 'no-such-package-zzz': { version: '==1' } },
      })
    const files = (hashes: string[]) => ({
      Pipfile: '[packages]\nitsdangerous = "*"\n',
      'Pipfile.lock': locked(hashes),
      'shop.py': `from importlib.metadata import version\n${PLAIN.replace('environ["PATH_INFO"]', 'version("itsdangerous")')}`,
    })
    const right = await deploy(files([hash]), python('shop:app'))
    assert.equal(right.failure, '')
    assert.equal((await right.ask('/')).text, '2.2.0')
    const wrong = await deploy(files([hash.replace('c6', 'c7')]), python('shop:app'))
    assert.match(wrong.failure, /^fail to install dependencies with Pipfile\.lock file/)
    assert.match(wrong.failure, /a package does not match the hash that the lock file gives/)
  })

  it('runs a Django project as it is found', async () => {
    const { failure, ask, wsgiPath } = await up('django', DJANGO)
    assert.equal(failure, '')
    assert.equal(wsgiPath, 'mysite.wsgi:application')
    assert.match((await ask('/hello/')).text, /^Django 5\.[\d.]+ says hello to 127\.0\.0\.1$/)
    assert.equal((await ask('/nowhere/')).status, 404)
  })

  it('runs what a factory makes', async () => {
    const factory = `def create_app(name="factory"):\n    ${PLAIN.replaceAll('\n', '\n    ')}\n    return app\n`
    const { failure, ask, wsgiPath } = await up('factory', { 'shop.py': factory, 'requirements.txt': '' })
    assert.equal(failure, '')
    assert.equal(wsgiPath, 'shop:create_app()')
    assert.equal((await ask('/made')).text, '/made')
  })

  it('reads -r and -c beside requirements.txt, and starts NumProcesses workers of NumThreads threads', async () => {
    const { failure, ask, inside } = await deploy(
      {
        'requirements.txt': '-r more/web.txt\n-c constraints.txt\n',
        'more/web.txt': 'itsdangerous\n',
        'constraints.txt': 'itsdangerous==2.1.2\n',
        'mysite/wsgi.py': `from importlib.metadata import version\n${THREADS}`,
      },
      python('mysite/wsgi.py', 3, 2),
    )
    assert.equal(failure, '')
    assert.equal((await ask('/')).text, '2.1.2')
    // The master and its workers; each worker has a thread of its own and two for requests.
    await Promise.all(Array.from({ length: 12 }, () => ask('/slow')))
    const master = (await inside(['cat', '/var/pids/web.pid'])).trim()
    const workers = (await inside(['pgrep', '-P', master])).trim().split('\n')
    assert.equal(workers.length, 3)
    for (const pid of workers) {
      const threads = (await inside(['ls', `/proc/${pid}/task`])).trim().split('\n').length
      assert.ok(threads <= 3, `${threads} threads`)
    }
    const most = (await inside(['ls', ...workers.map((pid) => `/proc/${pid}/task`)])).match(/^\d+$/gm)
    assert.ok((most?.length ?? 0) > 3, 'threads serve requests')
  })

  it('starts every process of a Procfile, the web process on the PORT that was given', async () => {
    const { failure, ask, inside, log, plan } = await deploy(
      {
        Procfile:
          'worker: while true; do echo "at work in $MODE"; sleep 0.2; done\nweb: python serve.py $PORT\n',
        'serve.py': SERVE,
      },
      { env: { PORT: '5000', MODE: 'night' } },
    )
    assert.equal(failure, '')
    assert.deepEqual(plan.notes, [
      "Instance deployment used the commands in your 'Procfile' to initiate startup of your application.",
    ])
    assert.equal((await ask('/')).text, 'on 5000')
    await until('the worker works', async () => (await log('worker.stdout.log')).includes('at work in night'))
    const before = (await inside(['cat', '/var/pids/worker.pid'])).trim()
    await inside(['kill', '-9', before])
    await until('it is started again', async () => {
      const pid = (await inside(['cat', '/var/pids/worker.pid'])).trim()
      return pid !== before && pid !== ''
    })
    assert.match(await log('worker.stdout.log'), /the process 'worker' ended by signal 9/)
  })

  it('is reached on port 80 itself when ProxyServer is none', async () => {
    const { failure, ask, inside } = await deploy(
      { 'shop.py': PLAIN, 'static/a.txt': 'a', 'requirements.txt': '' },
      { proxyServer: 'none', ...python('shop:app') },
    )
    assert.equal(failure, '')
    const answer = await ask('/static/a.txt')
    assert.deepEqual([answer.server, answer.text], ['gunicorn', '/static/a.txt'])
    assert.equal(await inside(['/bin/sh', '-c', 'pgrep -x nginx || true']), '')
  })

  it('leaves static files to nginx, and nothing beside them', async () => {
    const { failure, ask } = await deploy(
      {
        'shop.py': PLAIN,
        'requirements.txt': '',
        'public/css/a.css': 'a{}',
        'static/b.txt': 'b',
        'secret.txt': 'x',
      },
      {
        staticFiles: { '/assets': 'public/css', '/static': 'static', '/lost': 'lost' },
        ...python('shop:app'),
      },
    )
    assert.equal(failure, '')
    assert.deepEqual(await ask('/assets/a.css'), { status: 200, server: 'nginx', text: 'a{}' })
    assert.equal((await ask('/assets/none.css')).status, 404)
    assert.equal((await ask('/static../secret.txt')).text, '/static../secret.txt', 'the application answers')
    assert.notEqual((await ask('/static/../secret.txt')).text, 'x')
    assert.equal((await ask('/assetsx')).text, '/assetsx')
    assert.equal((await ask('/lost/a')).text, '/lost/a', 'a folder that is not there hides nothing')
  })
})

const THREADS = `import time
def application(environ, start_response):
    if environ["PATH_INFO"] == "/slow":
        time.sleep(0.3)
    start_response("200 OK", [("content-type", "text/plain")])
    return [version("itsdangerous").encode()]
`
const SERVE = `import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        text = f"on {sys.argv[1]}".encode()
        self.send_response(200)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
`
const DJANGO = {
  'requirements.txt': 'Django>=5.1,<6\n',
  'manage.py': 'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")\n',
  'mysite/__init__.py': '',
  'mysite/settings.py':
    'SECRET_KEY = "x"\nROOT_URLCONF = "mysite.urls"\nALLOWED_HOSTS = ["127.0.0.1"]\nDEBUG = False\n',
  'mysite/urls.py': `import django
from django.http import HttpResponse
from django.urls import path
def hello(request):
    return HttpResponse(f"Django {django.get_version()} says hello to {request.get_host()}")
urlpatterns = [path("hello/", hello)]
`,
  'mysite/wsgi.py': `import os
from django.core.wsgi import get_wsgi_application
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")
application = get_wsgi_application()
`,
}
