import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { makeCatalogue } from './catalogue.ts'
import { discoverIn } from './discover.ts'

const { stacks } = makeCatalogue([
  { family: 'python', language: '3.13', program: '/usr/bin/python3.13', build: '3.13.1' },
  { family: 'python', language: '3.11', program: '/usr/bin/python3.11', build: '3.11.2' },
  { family: 'nodejs', language: '26', program: '/node', build: 'v26' },
])

const discover = (files: Record<string, string>) =>
  discoverIn({ paths: Object.keys(files).sort(), read: (path) => files[path] }, stacks)

const FLASK = 'from flask import Flask\n'

const PYTHON: [string, Record<string, string>, string | undefined][] = [
  ['application.py', { 'application.py': `${FLASK}application = Flask(__name__)` }, undefined],
  ['app.py with app', { 'app.py': `${FLASK}app = Flask(__name__)` }, 'app:app'],
  ['application.py with app', { 'application.py': `${FLASK}app = flask.Flask(__name__)` }, 'application:app'],
  [
    'an alias named application',
    { 'app.py': `${FLASK}app = Flask(__name__)\napplication = app\n` },
    'app:application',
  ],
  ['an annotation', { 'main.py': `${FLASK}server: Flask = Flask(__name__)\n` }, 'main:server'],
  [
    'wsgi.py that imports',
    { 'wsgi.py': 'from shop import app as application\n', 'shop/__init__.py': '' },
    'wsgi:application',
  ],
  [
    'wsgi.py that calls a factory',
    { 'wsgi.py': 'from shop import create_app\napp = create_app()\n' },
    'wsgi:app',
  ],
  [
    'a factory',
    { 'app.py': `${FLASK}def create_app(config=None):\n    app = Flask(__name__)\n    return app\n` },
    'app:create_app()',
  ],
  [
    'a factory in a package',
    { 'shop/__init__.py': `${FLASK}def create_app():\n    return Flask(__name__)\n` },
    'shop:create_app()',
  ],
  ['a package', { 'shop/__init__.py': `${FLASK}app = Flask(__name__)\n` }, 'shop:app'],
  ['plain WSGI', { 'app.py': 'def app(environ, start_response):\n    pass\n' }, 'app:app'],
  [
    'Django',
    {
      'manage.py': `os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")`,
      'shop/wsgi.py': 'application = get_wsgi_application()',
      'app.py': 'app = Flask(',
    },
    'shop.wsgi:application',
  ],
]

describe('discover', () => {
  for (const [what, files, wsgiPath] of PYTHON) {
    it(`finds ${what}`, () => {
      const found = discover({ 'requirements.txt': 'x', ...files })
      assert.ok(found.kind === 'found', JSON.stringify(found))
      assert.equal(found.settings[0]?.Value, wsgiPath)
      assert.equal(found.platform, '64bit Amazon Linux 2023 v4.6.0 running Python 3.13')
      assert.match(found.notes[0] ?? '', /^Python: .+\.$/)
    })
  }

  it('says what it found and why', () => {
    const found = discover({ 'requirements.txt': '', 'app.py': 'app = Flask(__name__)' })
    assert.ok(found.kind === 'found')
    assert.deepEqual(found.notes, ["Python: app.py creates the application 'app', so WSGIPath is app:app."])
    assert.deepEqual(found.settings, [
      { Namespace: 'aws:elasticbeanstalk:container:python', OptionName: 'WSGIPath', Value: 'app:app' },
    ])
  })

  it('takes the Python that the folder asks for, where it is here', () => {
    const found = discover({ '.python-version': '3.11.4\n', 'app.py': 'app = Flask(__name__)' })
    assert.ok(found.kind === 'found')
    assert.match(found.platform, /Python 3\.11$/)
  })

  it('needs no WSGIPath with a Procfile, and refuses a broken one', () => {
    const found = discover({ Procfile: 'web: gunicorn shop:app', 'requirements.txt': '' })
    assert.ok(found.kind === 'found')
    assert.deepEqual(found.settings, [])
    assert.equal(discover({ Procfile: 'gunicorn', 'requirements.txt': '' }).kind, 'problem')
  })

  it('says when no callable is found, or one that needs arguments', () => {
    for (const text of ['print(1)', 'def create_app(config):\n    pass\n']) {
      const found = discover({ 'requirements.txt': '', 'app.py': text })
      assert.ok(found.kind === 'problem')
      assert.match(found.message, /no WSGI application was found/)
    }
  })

  it('finds Node.js, also beside stray Python files', () => {
    const folders: Record<string, string>[] = [
      { 'package.json': '{"scripts":{"start":"node x.js"}}' },
      { 'package.json': '{}', 'server.js': '', 'build.py': '' },
      { 'app.js': '' },
    ]
    for (const files of folders) {
      const found = discover(files)
      assert.ok(found.kind === 'found', JSON.stringify(found))
      assert.match(found.platform, /Node\.js 26$/)
    }
    assert.equal(discover({ 'package.json': '{}' }).kind, 'problem')
  })

  it('refuses a folder with neither', () => assert.equal(discover({ 'readme.md': '' }).kind, 'problem'))
})
