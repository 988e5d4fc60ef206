import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { renderDefaults } from './default-file.ts'
import { parseConfig } from './parse.ts'
import { configOf, keys, rowOf, shownValue } from './settings.ts'

const given = (text: string) => {
  const parsed = parseConfig(text)
  assert.deepEqual(parsed.problems, [])
  return Object.fromEntries([...parsed.given].map(([key, { value }]) => [key, value]))
}
const problems = (text: string) =>
  parseConfig(text).problems.map(({ line, sentence }) => `${line}: ${sentence}`)

describe('the text of config.yaml', () => {
  it('gives settings by dotted keys and by groups, in any of the ways of YAML', () => {
    assert.deepEqual(given('listeners.http: 8088 # ours\nlimits:\n  instances: 3\n'), {
      'listeners.http': 8088,
      'limits.instances': 3,
    })
    assert.deepEqual(given('{listeners: {publicAddresses: [2001:DB8:0::1, 0.0.0.0, "::"]}}'), {
      'listeners.publicAddresses': ['2001:db8::1', '0.0.0.0', '::'],
    })
    for (const nothing of ['', '# nothing\n', '---\n', 'limits:\n', 'null\n'])
      assert.deepEqual(given(nothing), {}, nothing)
  })

  it('is refused line by line', () => {
    const port = 'must be a port from 1 to 65535, or null (the one chosen at first start)'
    const cases: [text: string, ...problems: string[]][] = [
      ['listener.http: 80\n', '1: there is no setting listener.http; is listeners.http meant?'],
      ['\n\nlimits:\n  instance: 3\n', '4: there is no setting limits.instance; is limits.instances meant?'],
      ['colour: red\n', '1: there is no setting colour (polebean config get shows all)'],
      ['__proto__: 1\n', '1: there is no setting __proto__ (polebean config get shows all)'],
      ['api.port: 70000\n', `1: api.port ${port}, not 70000`],
      [
        'api.port: "80"\nlisteners.http: 0.5\n',
        `1: api.port ${port}, not "80"`,
        `2: listeners.http ${port}, not 0.5`,
      ],
      ['limits:\n\tinstances: 3\n', '2: a tab cannot indent in YAML: use spaces'],
      ['api.port: 1\napi:\n  port: 2\n', '3: api.port is given twice, first in line 1'],
      ['api.port: 80\n---\napi.port: 81\n', '2: a second document begins here; there is one'],
      ['api.port 80\n', '1: settings are lines of the form KEY: VALUE'],
      ['- api.port\n', '1: settings are lines of the form KEY: VALUE'],
      ['api: 80\n', '1: settings are lines of the form KEY: VALUE'],
      ['api.port: &a 80\n', '1: api.port: anchors, aliases and tags of YAML are not read here'],
      [
        'listeners.publicAddresses: [127.0.0.1]\n',
        '1: listeners.publicAddresses names a loopback address, which is always there, not ["127.0.0.1"]',
      ],
      [
        'network.cidr: 10.300.0.0/16\n',
        '1: network.cidr must be a /16 of private addresses, as 10.77.0.0/16, or null (the one chosen at first start), not "10.300.0.0/16"',
      ],
      [
        'network.cidr: 8.8.0.0/16\n',
        '1: network.cidr must be a /16 of private addresses, as 10.77.0.0/16, or null (the one chosen at first start), not "8.8.0.0/16"',
      ],
    ]
    for (const [text, ...expected] of cases) assert.deepEqual(problems(text), expected, text)
    assert.match(problems('limits: {instances: 3\n')[0] ?? '', /^2: this is not YAML: Flow map/)
    assert.equal(problems(`${'a'.repeat(60_000)}: 1\n`).length, 1)
  })

  it('as it is written at first start gives nothing, and with every # taken away the defaults', () => {
    assert.deepEqual(given(renderDefaults()), {})
    const all = renderDefaults().replaceAll(/^# ([a-z]+\.[a-zA-Z]+: )/gm, '$1')
    const values = parseConfig(all)
    assert.deepEqual(values.problems, [])
    assert.deepEqual([...values.given.keys()], keys)
    assert.deepEqual(
      configOf(new Map([...values.given].map(([key, { value }]) => [key, value]))),
      configOf(new Map()),
    )
  })

  it('can say every default as people write it', () => {
    for (const key of keys) {
      const { type, default: preset } = rowOf(key)
      assert.deepEqual(type.read(shownValue(key, preset)), { value: preset }, key)
    }
  })
})
