import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { sourcesOf } from './config/file.ts'
import { choicesOf, problemsOf, type Facts } from './home-config.ts'
import type { HomeSettings } from './home.ts'

const home: HomeSettings = {
  ...{
    id: 'abc123',
    dir: '/srv/home',
    runDir: '/run/polebean/abc123',
    idBase: 1,
    region: 'us-west-2',
    account: '0',
  },
  ...{
    cidr: '10.70.0.0/16',
    domain: 'eb.localhost',
    ports: { api: 4777, http: 9080, environments: 18_000, dns: 5380 },
  },
  chosen: { ports: { api: 4777, http: 8080 }, domain: 'elasticbeanstalk.localhost', cidr: '10.70.0.0/16' },
}
const nothing: Facts = {
  inUse: async () => ({ environments: [], network: [] }),
  portProblem: async () => null,
  cidrProblem: async () => null,
}
const sources = (text: string) => sourcesOf('config.yaml', text, new Map())
const problems = (text: string, facts: Partial<Facts> = {}) =>
  problemsOf(home, sources(text), { ...nothing, ...facts })

describe('what the configuration makes of a home', () => {
  it('is its word, else what was chosen at first start', () => {
    assert.deepEqual(choicesOf(home, sources('')), home.chosen)
    assert.deepEqual(choicesOf(home, sources('api.port: 5000\ndns.domain: eb.example.com\n')), {
      ports: { api: 5000, http: 8080 },
      domain: 'eb.example.com',
      cidr: '10.70.0.0/16',
    })
  })
  it('is asked about only where it changes', async () => {
    const never = async () => assert.fail('asked')
    const same = 'listeners.http: 9080\ndns.domain: eb.localhost\n'
    assert.deepEqual(await problems(same, { inUse: never, portProblem: never, cidrProblem: never }), [])
  })
  it('is refused with the line that asks for what cannot be had', async () => {
    const same = 'dns.domain: eb.localhost\nlisteners.http: 9080\n'
    const cases: [text: string, facts: Partial<Facts>, sentence: string][] = [
      ['listeners.http: 4777\n', {}, 'config.yaml:2: listeners.http cannot be 4777: that is api.port'],
      [
        'listeners.http: 18199\n',
        {},
        'config.yaml:2: listeners.http cannot be 18199: 18000 to 18199 are the loopback ports of environments',
      ],
      [
        'listeners.http: 81\n',
        { portProblem: async () => 'cannot be 81: port 81 is taken by x (pid 1)' },
        'config.yaml:2: listeners.http cannot be 81: port 81 is taken by x (pid 1)',
      ],
    ]
    for (const [text, facts, sentence] of cases)
      assert.deepEqual(await problems(`dns.domain: eb.localhost\n${text}`, facts), [sentence])
    const inUse = async () => ({ environments: ['a', 'b', 'c', 'd', 'e', 'f', 'g'], network: ['i-1'] })
    assert.deepEqual(await problems('listeners.http: 9080\n', { inUse }), [
      'dns.domain cannot change from eb.localhost to elasticbeanstalk.localhost: the names of a, b, c, d, e and 2 more were handed out; terminate them first',
    ])
    assert.deepEqual(await problems(`${same}network.cidr: 10.71.0.0/16\n`, { inUse }), [
      'config.yaml:3: network.cidr cannot change from 10.70.0.0/16 to 10.71.0.0/16: i-1 have addresses of it; terminate them first',
    ])
    assert.deepEqual(
      await problems(`${same}network.cidr: 10.71.0.0/16\n`, { cidrProblem: async () => 'is in the way' }),
      ['config.yaml:3: network.cidr is in the way'],
    )
  })
})
