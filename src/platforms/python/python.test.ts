import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { requirementsOfLock, requirementsOfPipfile } from './pipfile.ts'
import { pipConfiguration } from './pip-configuration.ts'
import { readRequirements } from './requirements.ts'
import { gunicornTarget } from './wsgi-path.ts'

describe('WSGIPath', () => {
  const FORMS: [string, string | undefined][] = [
    ['application', 'application:application'],
    ['app:app', 'app:app'],
    ['ebdjango.wsgi', 'ebdjango.wsgi:application'],
    ['ebdjango/wsgi.py', 'ebdjango.wsgi:application'],
    ['./src/app.py:app', 'src.app:app'],
    ['app:create_app()', 'app:create_app()'],
    ["app:create_app('prod')", "app:create_app('prod')"],
    ['app:factory.app', 'app:factory.app'],
    ['app; rm -rf /', undefined],
    ['app:$(id)', undefined],
    ['app:x(`id`)', undefined],
    ['--config=/etc/x', undefined],
    ['../app', undefined],
    ['', undefined],
  ]
  for (const [given, target] of FORMS) {
    it(`${JSON.stringify(given)} is ${target ?? 'refused'}`, () =>
      assert.equal(gunicornTarget(given), target))
  }
})

describe('requirements.txt', () => {
  it('names projects as the index does', () => {
    const text =
      'Flask_Login[x]==1 ; python_version < "4" # c\n# c\nzope.interface\n--index-url https://x/\n\nA>=1,\\\n<2 --hash=sha256:1\n'
    assert.deepEqual(readRequirements(text), {
      names: ['flask-login', 'zope-interface', 'a'],
      readsBundle: false,
    })
  })

  for (const line of [
    '-r more.txt',
    '-c pins.txt',
    '-e .',
    './wheel.whl',
    'https://x/a.zip',
    'git+https://x/y',
    'a @ file:///x',
    '-f wheels',
    '--requirement=x',
  ]) {
    it(`depends on the bundle when it says ${line}`, () =>
      assert.ok(readRequirements(`Flask\n${line}\n`).readsBundle))
  }
})

const text = (converted: ReturnType<typeof requirementsOfLock>) => {
  assert.ok(converted.kind === 'requirements', JSON.stringify(converted))
  return converted.text
}

describe('Pipfile.lock', () => {
  const lock = (packages: object) =>
    JSON.stringify({
      _meta: { sources: [{ url: 'https://pypi.org/simple' }, { url: 'https://own.example/simple' }] },
      default: packages,
      develop: { pytest: { version: '==8' } },
    })

  it('becomes pinned requirements with hashes, markers and extras, without the development ones', () => {
    const flask = {
      version: '==3.0.0',
      hashes: ['sha256:aa', 'sha256:bb'],
      markers: "python_version >= '3.8'",
      extras: ['async'],
    }
    assert.equal(
      text(requirementsOfLock(lock({ flask }))),
      `--extra-index-url https://own.example/simple\nflask[async]==3.0.0; python_version >= '3.8' --hash=sha256:aa --hash=sha256:bb\n`,
    )
  })

  it('gives no hashes when one entry cannot have any, since pip wants all or none', () => {
    const converted = text(
      requirementsOfLock(
        lock({
          a: { version: '==1', hashes: ['sha256:aa'] },
          b: { git: 'https://x/b.git', ref: 'c0ffee' },
          c: { path: './c', editable: true },
        }),
      ),
    )
    assert.equal(converted.split('\n').slice(1).join('\n'), 'a==1\nb @ git+https://x/b.git@c0ffee\n-e ./c\n')
  })

  it('that is broken is refused by a sentence', () => {
    assert.deepEqual(requirementsOfLock('{'), { kind: 'problem', problem: 'Pipfile.lock is not valid JSON.' })
    assert.deepEqual(requirementsOfLock('{}'), {
      kind: 'problem',
      problem: "Pipfile.lock has no 'default' section.",
    })
  })
})

describe('Pipfile', () => {
  it('without a lock becomes loose requirements', () => {
    const pipfile = `[[source]]
url = "https://pypi.org/simple"
verify_ssl = true

[packages]
flask = "*"
"zope.interface" = ">=5" # c
requests = {version = "~=2.31", extras = ["socks", "use_chardet_on_py3"], markers = "sys_platform == 'linux'"}
mine = {path = "./mine", editable = true}

[dev-packages]
pytest = "*"

[requires]
python_version = "3.11"
`
    assert.equal(
      text(requirementsOfPipfile(pipfile)),
      "flask\nzope.interface>=5\nrequests[socks,use_chardet_on_py3]~=2.31; sys_platform == 'linux'\n-e ./mine\n",
    )
  })

  it('that cannot be read is refused', () => {
    assert.equal(requirementsOfPipfile('[packages]\nflask').kind, 'problem')
    assert.equal(requirementsOfPipfile('[dev-packages]\n').kind, 'problem')
  })
})

describe("pip's configuration", () => {
  it('is brought into the sandbox: environment over user over global, with the paths that the sandbox sees', () => {
    const files: Record<string, string> = {
      '/etc/pip.conf':
        '[global]\nindex-url = https://global.example/simple\ntrusted-host = a\n  b\nno-color = true\n',
      '/home/ada/.config/pip/pip.conf':
        '[global]\nindex-url: file:///srv/index%20one\n[install]\nfind-links =\n    /srv/wheels\n    /srv/none\n',
    }
    const conf = pipConfiguration({
      env: { PIP_DEFAULT_TIMEOUT: '180', PIP_CERT: '/etc/ca.pem' },
      userHome: '/home/ada',
      readText: (path) => files[path],
      local: (path) => (path === '/srv/none' ? '' : `/build/in/${path.split('/').at(-1)}`),
    })
    assert.equal(
      conf,
      '[global]\ncert = /build/in/ca.pem\ndefault-timeout = 180\nfind-links =\n    /build/in/wheels\nindex-url = file:///build/in/index one\ntrusted-host =\n    a\n    b\n',
    )
  })
})
