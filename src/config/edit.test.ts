import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { renderDefaults } from './default-file.ts'
import { withoutSetting, withSetting } from './edit.ts'
import { parseConfig } from './parse.ts'

const ours = `# by ops, 2026
limits:   # keep in step with billing
    instances:   3   # three
api.port: 4777
`

describe('a change of one setting', () => {
  it('leaves every other character as it is', () => {
    assert.equal(withSetting(ours, 'limits.instances', 12), ours.replace('  3  ', '  12  '))
    assert.equal(withSetting(ours, 'api.port', null), ours.replace('4777', 'null'))
    assert.equal(
      withSetting(ours, 'listeners.publicAddresses', ['10.0.0.1', '::']),
      `${ours}listeners.publicAddresses: [10.0.0.1, "::"]\n`,
    )
    assert.equal(withSetting('api.port:\n', 'api.port', 5000), 'api.port: 5000\n')
    assert.equal(withSetting('{api.port: 1}\n', 'api.port', 5000), '{api.port: 5000}\n')
    assert.equal(
      withSetting(
        'listeners.publicAddresses:\n  - 10.0.0.1\n  - 10.0.0.2\nlimits.instances: 1\n',
        'listeners.publicAddresses',
        [],
      ),
      'listeners.publicAddresses:\n  []\nlimits.instances: 1\n',
    )
  })
  it('goes behind the line that explains it, and away again', () => {
    const text = renderDefaults()
    const next = withSetting(text, 'api.port', 5000)
    assert.equal(next, text.replace('# api.port: null\n', '# api.port: null\napi.port: 5000\n'))
    assert.equal(withoutSetting(next, 'api.port'), text)
    assert.equal(withoutSetting(text, 'api.port'), text)
    assert.equal(withSetting(text.trimEnd(), 'releases.source', '/p'), `${text}releases.source: /p\n`)
    assert.equal(withoutSetting('limits:\n  instances: 1', 'limits.instances'), 'limits:\n')
  })
  it('is refused where it would change more than that', () => {
    assert.throws(() => withSetting('{api.port: 1}\n', 'limits.instances', 1), /use: polebean config edit/)
    assert.throws(
      () => withoutSetting('{api.port: 1, limits.instances: 2}\n', 'api.port'),
      /use: polebean config edit/,
    )
  })
  it('can be any value that the setting takes', () => {
    for (const value of ['eb.example.com', 'null.true', '1e5.com', 'yes'])
      assert.equal(parseConfig(withSetting('', 'dns.domain', value)).given.get('dns.domain')?.value, value)
  })
})
