import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { eventText, explainBuild } from './explain-build.ts'
import { explainStart } from './explain-start.ts'

// Outputs are recorded: pip 23.0.1 of Python 3.11.2, npm 11.19.1, gunicorn 23.0.0, Node.js 26.10.0.

const PIP: [string, string][] = [
  [
    `ERROR: Could not find a version that satisfies the requirement no-such-package-zzz==1.0 (from versions: none)
ERROR: No matching distribution found for no-such-package-zzz==1.0`,
    "the package index has no 'no-such-package-zzz==1.0' for this Python.",
  ],
  [
    "ERROR: Invalid requirement: 'Flask=>1.0' (from line 1 of /build/in/requirements.txt)",
    "'Flask=>1.0' (from line 1 of requirements.txt) is not a requirement that pip understands.",
  ],
  [
    "ERROR: Could not open requirements file: [Errno 2] No such file or directory: '/tmp/staging/other.txt'",
    "the file 'other.txt', which it names, is not in the bundle.",
  ],
  [
    `ERROR: Cannot install -r /build/in/requirements.txt (line 1) and Werkzeug==2.0.0 because these package versions have conflicting dependencies.

The conflict is caused by:
    The user requested Werkzeug==2.0.0
    flask 3.0.0 depends on Werkzeug>=3.0.0`,
    'Cannot install -r requirements.txt (line 1) and Werkzeug==2.0.0 because these package versions have conflicting dependencies (flask 3.0.0 depends on Werkzeug>=3.0.0).',
  ],
  [
    `Collecting Flask
Collecting mysqlclient==2.2.0
  Downloading mysqlclient-2.2.0.tar.gz (89 kB)
  error: subprocess-exited-with-error
  × Getting requirements to build wheel did not run successfully.
      Exception: Can not find valid pkg-config name.
      Specify MYSQLCLIENT_CFLAGS and MYSQLCLIENT_LDFLAGS env vars manually`,
    "the package 'mysqlclient==2.2.0' has to be built here, and that failed: Exception: Can not find valid pkg-config name.",
  ],
  [
    `  WARNING: Retrying (Retry(total=4)) after connection broken by 'NewConnectionError('<pip._vendor.urllib3.connection.HTTPSConnection object at 0x7f>: Failed to establish a new connection: [Errno -3] Temporary failure in name resolution')': /simple/flask/
ERROR: No matching distribution found for flask`,
    'the package index cannot be reached from the build sandbox (network, proxy or pip configuration).',
  ],
  ['Collecting Flask\n[ended after 1200 seconds]', 'it took longer than 1200 seconds.'],
]

const NPM: [string, string][] = [
  [
    `npm error code E404
npm error 404 Not Found - GET https://registry.npmjs.org/no-such-package-zzz-q
npm error 404  The requested resource 'no-such-package-zzz-q@1.0.0' could not be found or you do not have permission to access it.`,
    "the registry has no package 'no-such-package-zzz-q@1.0.0'.",
  ],
  [
    'npm error code ETARGET\nnpm error notarget No matching version found for nanoid@999.0.0.',
    "the registry has no 'nanoid@999.0.0'.",
  ],
  [
    'npm error code EUSAGE\nnpm error\nnpm error `npm ci` can only install packages when',
    'package-lock.json does not fit package.json: run npm install and pack both again.',
  ],
  [
    `> tsc -p .

sh: 1: tsc: not found
npm error code 127
npm error path /tmp/app
npm error command failed
npm error command sh -c tsc -p .`,
    "the script 'tsc -p .' failed: tsc: not found.",
  ],
]

describe('a failed build', () => {
  for (const [output, reason] of PIP) {
    it(`of pip is explained: ${reason.slice(0, 60)}`, () => {
      const prefix = 'fail to install dependencies with requirements.txt file with error: '
      assert.equal(explainBuild('python-1', output).sentence, prefix + reason)
    })
  }
  for (const [output, reason] of NPM) {
    it(`of npm is explained: ${reason.slice(0, 60)}`, () => {
      assert.equal(
        explainBuild('node-modules-1', output).sentence,
        `Failed to install dependencies with npm: ${reason}`,
      )
    })
  }

  it('of pip names the file that the packages come from, or the package that the platform adds', () => {
    const sentence = (command: string) =>
      explainBuild('python-1', `+ ${command}\nERROR: No matching distribution found for x==1`).sentence
    assert.match(sentence('pip install -r /build/in/Pipfile.lock'), /^fail .* with Pipfile\.lock file with/)
    assert.match(sentence('pip install -r /tmp/staging/requirements.txt'), /with requirements\.txt file with/)
    assert.match(
      sentence('pip install --quiet gunicorn==23.0.0'),
      /^fail to install gunicorn==23\.0\.0, which the platform adds, with error: the package index has no/,
    )
  })

  it('of a bundle says what the unpacker said', () => {
    const { sentence } = explainBuild('bundle-1', "The entry 'x' leads out of the bundle.\n")
    assert.equal(sentence, "The source bundle could not be unpacked: The entry 'x' leads out of the bundle.")
  })

  it('keeps the last 50 lines and no password', () => {
    const output = `${'line\n'.repeat(80)}Looking in indexes: https://user:secret@pypi.example/simple\n`
    const { lines } = explainBuild('python-1', output)
    assert.equal(lines.length, 50)
    assert.equal(lines.at(-1), 'Looking in indexes: https://****@pypi.example/simple')
  })
})

const gunicorn = (traceback: string) => `Last lines of /var/log/web.stdout.log:
[2026-11-23 23:50:33 +0000] [17137] [ERROR] Exception in worker process
Traceback (most recent call last):
  File "/var/app/venv/staging-LQM1lest/lib/python3.11/site-packages/gunicorn/app/wsgiapp.py", line 47, in load_wsgiapp
    return util.import_app(self.app_uri)
${traceback}
[2026-11-23 23:50:33 +0000] [17129] [INFO] Worker exiting (pid: 17129)
[2026-11-23 23:50:33 +0000] [17124] [ERROR] Reason: Worker failed to boot.
[polebean] the process 'web' ended with exit status 3
[await-start] outcome=died
[await-start] process=web
[await-start] port=8000
`
const own = (line: number) => `  File "/var/app/current/shop/views.py", line ${line}, in <module>\n`
const node = (text: string) => `${text}
[polebean] the process 'web' ended with exit status 1
[await-start] outcome=died
[await-start] process=web
[await-start] port=8080
`
const DIED = "The application did not start: the process 'web' ended again and again. "

const STARTS: [string, string][] = [
  [
    gunicorn(`${own(1)}    import requestzz\nModuleNotFoundError: No module named 'requestzz'`),
    `${DIED}The module 'requestzz' is not installed (shop/views.py:1): add its package to requirements.txt.`,
  ],
  [
    gunicorn(
      `  File "<frozen importlib._bootstrap>", line 1142, in _find_and_load_unlocked\nModuleNotFoundError: No module named 'nope'`,
    ),
    `${DIED}WSGIPath names the module 'nope', which is not in the bundle (unless set, WSGIPath is 'application').`,
  ],
  [
    gunicorn(`${own(1).replace(', in <module>', '')}    def f(:\n          ^\nSyntaxError: invalid syntax`),
    `${DIED}SyntaxError: invalid syntax (shop/views.py:1).`,
  ],
  [
    gunicorn(
      `${own(2)}    X=os.environ["SECRET_KEY"]\n  File "<frozen os>", line 679, in __getitem__\nKeyError: 'SECRET_KEY'`,
    ),
    `${DIED}The environment property SECRET_KEY is not set (shop/views.py:2).`,
  ],
  [gunicorn(`${own(9)}    x["A"]\nKeyError: 'a b'`), `${DIED}KeyError: 'a b' (shop/views.py:9).`],
  [
    gunicorn("Failed to find attribute 'application' in 'a2'."),
    `${DIED}The module 'a2' has nothing named 'application': WSGIPath must name the WSGI callable, for instance a2:app.`,
  ],
  [
    gunicorn(
      `${own(4)}    settings.x\ndjango.core.exceptions.ImproperlyConfigured: The SECRET_KEY setting must not be empty.`,
    ),
    `${DIED}django.core.exceptions.ImproperlyConfigured: The SECRET_KEY setting must not be empty (shop/views.py:4).`,
  ],
  [
    node(`node:internal/modules/cjs/loader:1210
  throw err;
  ^

Error: Cannot find module 'express'
Require stack:
- /var/app/current/app.js
    at Module._resolveFilename (node:internal/modules/cjs/loader:1207:15)
    at Object.<anonymous> (/var/app/current/app.js:7:1) {
  code: 'MODULE_NOT_FOUND'
}

Node.js v26.10.0`),
    `${DIED}The package 'express' is not installed (app.js:7): add it to package.json.`,
  ],
  [
    node(`/var/app/current/n2.js:1
const x = ;
          ^

SyntaxError: Unexpected token ';'
    at wrapSafe (node:internal/modules/cjs/loader:1464:18)

Node.js v26.10.0`),
    `${DIED}SyntaxError: Unexpected token ';' (n2.js:1).`,
  ],
  [
    node(`TypeError: Cannot read properties of undefined (reading 'trim')
    at Object.<anonymous> (/var/app/current/n3.js:1:26)`),
    `${DIED}TypeError: Cannot read properties of undefined (reading 'trim') (n3.js:1).`,
  ],
  [
    node('/bin/sh: 1: gunicornx: Permission denied'),
    `${DIED}The program 'gunicornx' does not exist on the instance.`,
  ],
  [node('goodbye'), `${DIED}Its last words: goodbye`],
  [
    '[await-start] outcome=elsewhere\n[await-start] process=web\n[await-start] port=8000\n[await-start] listening=5000\n',
    'The application listens on port 5000, not on port 8000. The platform expects it on port 8000 (environment variable PORT).',
  ],
  [
    'Last lines of /var/log/nginx/error.log:\nbind() failed\n[await-start] outcome=proxy\n[await-start] port=80\n[await-start] seconds=600\n',
    'The application started, but nginx does not listen on port 80 after 600 seconds. Its last words: bind() failed',
  ],
  [
    '[await-start] outcome=refused\n[await-start] port=8000\n[await-start] listening=\n[await-start] seconds=600\n',
    'Nothing listens on port 8000 after 600 seconds. The platform expects it on port 8000 (environment variable PORT).',
  ],
]

describe('the text of an event about a failure', () => {
  it('gives the command of a build, and its last 50 lines', () => {
    const lines = Array.from({ length: 70 }, (_, index) => `line ${index}`)
    const output = ['+ python -m venv x', '+ pip install -r /build/in/requirements.txt', ...lines].join('\n')
    const shown = ['Command: pip install -r requirements.txt', ...lines.slice(-50)]
    assert.deepEqual(eventText(explainBuild('python-1', output)).split('\n').slice(1), shown)
    // Of a very long output the announcement is cut off; then the installer's last word says it.
    const end = `${lines.join('\n')}\n[build] command=pip install -r requirements.txt\n`
    assert.deepEqual(eventText(explainBuild('python-1', end)).split('\n').slice(1), shown)
  })

  it('gives the command of a process, and 50 lines of its log', () => {
    const lines = Array.from({ length: 50 }, (_, index) => `line ${index}`)
    const log = 'Last lines of /var/log/web.stdout.log:'
    const facts = [
      'outcome=died',
      'port=8000',
      'process=web',
      'command=gunicorn --bind 127.0.0.1:8000 app:app',
    ]
    const output = [log, ...lines, ...facts.map((fact) => `[await-start] ${fact}`)].join('\n')
    const text = eventText(explainStart(output)).split('\n')
    assert.deepEqual(text.slice(1), ['Command: gunicorn --bind 127.0.0.1:8000 app:app', log, ...lines])
  })
})

describe('a failed start', () => {
  for (const [output, sentence] of STARTS) {
    it(`is explained: ${sentence.replace(DIED, '').slice(0, 60)}`, () => {
      assert.equal(explainStart(output).sentence, sentence)
    })
  }

  it('shows the log without the facts of the check', () => {
    const { lines } = explainStart(node('goodbye'))
    assert.deepEqual(lines, ['goodbye', "[polebean] the process 'web' ended with exit status 1"])
  })
})
