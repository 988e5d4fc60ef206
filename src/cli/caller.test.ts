import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { readBuildConfiguration } from '../platforms/configuration.ts'
import { npmFolder, serverEnvironment } from './caller.ts'

const dir = mkdtempSync(join(tmpdir(), 'caller-'))
after(() => rmSync(dir, { recursive: true }))

// As nvm, fnm and volta keep it.
const npm = join(dir, '.nvm/versions/node/v22/lib/node_modules/npm')
const bin = join(dir, '.nvm/versions/node/v22/bin')
mkdirSync(join(npm, 'bin'), { recursive: true })
mkdirSync(bin)
writeFileSync(join(npm, 'package.json'), '{"version":"10.9.0"}')
for (const name of ['npm', 'npm-cli.js']) writeFileSync(join(npm, 'bin', name), '')
symlinkSync(join(npm, 'bin/npm-cli.js'), join(bin, 'npm'))

describe('the environment of the caller', () => {
  it('reaches the server as far as builds depend on it, and nothing else does', () => {
    const kept = {
      HOME: dir,
      XDG_CONFIG_HOME: '/config',
      PIP_INDEX_URL: 'https://user:password@index.example/simple',
      REQUESTS_CA_BUNDLE: '/ca.pem',
      NODE_EXTRA_CA_CERTS: '/ca.pem',
      ALL_PROXY: 'socks5://proxy.example',
      https_proxy: 'http://proxy.example',
      npm_config_registry: 'https://npm.example',
      npm_config_cafile: '/ca.pem',
      NPM_CONFIG_USERCONFIG: join(dir, '.npmrc'),
      NPM_TOKEN: 'secret',
    }
    writeFileSync(join(dir, '.npmrc'), '//npm.example/:_authToken=${NPM_TOKEN}\n')
    const others = {
      AWS_SECRET_ACCESS_KEY: 'x',
      LD_PRELOAD: 'x',
      NODE_OPTIONS: 'x',
      'npm_config_//x/:_auth': 'x',
    }
    const { PATH, POLEBEAN_NPM, ...rest } = serverEnvironment({ ...kept, ...others, PATH: `/nowhere:${bin}` })
    assert.deepEqual(rest, kept)
    assert.equal(PATH, '/usr/sbin:/usr/bin:/sbin:/bin')
    assert.equal(POLEBEAN_NPM, npm)
  })

  it("leads to the caller's own npm, running or of the PATH", () => {
    assert.equal(npmFolder({ PATH: `/nowhere:${bin}:/usr/bin` }), npm)
    assert.equal(npmFolder({ PATH: '/nowhere', npm_execpath: join(npm, 'bin/npm-cli.js') }), npm)
    assert.equal(npmFolder({ PATH: '/nowhere', npm_execpath: '/usr/lib/yarn.js' }), undefined)
    const { POLEBEAN_NPM } = serverEnvironment({ PATH: bin })
    assert.equal(readBuildConfiguration({ POLEBEAN_NPM, PATH: '/nowhere', HOME: dir }).npm?.dir, npm)
  })
})
