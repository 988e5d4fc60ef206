import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { makeApiTlsReconciler, wishOf } from './api-tls.ts'
import { configFrom, sourcesOf } from './config/file.ts'
import { problemsOf } from './home-config.ts'
import type { HomeSettings } from './home.ts'
import { makeLog } from './kernel/log.ts'

const read = (text: string) => sourcesOf('config.yaml', text, new Map())
const WHOLE = 'api.name: api.example.com\napi.certificate: /etc/ssl/api.pem\napi.addresses: [203.0.113.5]\n'
const DAY_MS = 86_400_000

describe("the API's TLS settings", () => {
  const ports = { api: 4777, http: 8080, environments: 18_000, dns: 5380 }
  const own = { ports, domain: 'elasticbeanstalk.localhost', cidr: '10.1.0.0/16' }
  const home: HomeSettings = {
    ...{ id: 'abcdef', dir: '/nowhere', runDir: '/nowhere', idBase: 1, region: 'us-west-2', account: '0' },
    ...{ ...own, chosen: own },
  }
  const problems = (text: string) =>
    problemsOf(home, read(text), {
      inUse: () => assert.fail('nothing of that changed'),
      portProblem: () => assert.fail('nothing of that changed'),
      cidrProblem: () => assert.fail('nothing of that changed'),
    })

  it('publish nothing without a certificate, and may come one after the other', async () => {
    for (const text of ['', 'api.name: a.example', 'api.certificate: /x', WHOLE])
      assert.deepEqual(await problems(text), [])
    const cases: [string, RegExp][] = [
      [
        'api.addresses: [203.0.113.5]',
        /^config\.yaml:1: api\.addresses cannot be 203\.0\.113\.5 without api\.name and api\.certificate: the API is never published without TLS$/,
      ],
      ['api.addresses: [0.0.0.0]\napi.name: a.example', /without api\.name and api\.certificate/],
      [`${WHOLE}api.tlsPort: 4777`, /api\.tlsPort cannot be 4777: that is api\.port$/],
      [`${WHOLE}api.tlsPort: 8080`, /api\.tlsPort cannot be 8080: that is listeners\.http$/],
      [`${WHOLE}api.tlsPort: 18001`, /api\.tlsPort cannot be 18001: 18000 to \d+ are the loopback ports/],
    ]
    for (const [text, expected] of cases) {
      const found = await problems(text)
      assert.equal(found.length, 1, text)
      assert.match(found[0]!, expected)
    }
  })
  it('refuse names, paths and addresses that are none', () => {
    for (const text of [
      'api.name: API.example.com',
      'api.name: api.localhost',
      'api.name: "a b"',
      'api.name: "a\\"; bind"',
      'api.name: 203.0.113.5:443',
      'api.certificate: api.pem',
      'api.certificate: "/a\\nb"',
      'api.addresses: [127.0.0.1]',
      'api.addresses: [example.com]',
      'api.tlsPort: 0',
    ])
      assert.throws(() => read(text), /config\.yaml:1: api\./, text)
  })
})

describe('api.tls', () => {
  const made = (text: string, endsAt: number) => {
    const clock = {
      at: Date.UTC(2026, 0, 1),
      now: () => clock.at,
      monotonic: () => clock.at,
      sleep: () => assert.fail('nothing sleeps'),
    }
    const lines: string[] = []
    const asked: unknown[] = []
    const reconciler = makeApiTlsReconciler({
      clock,
      log: makeLog(clock, (line) => void lines.push(line)),
      config: () => configFrom(read(text)),
      tls: {
        ensure: async (wish) => {
          asked.push(wish)
          return wish && { endsAt }
        },
      },
    })
    return { clock, lines, asked, pass: () => reconciler.reconcile(new AbortController().signal) }
  }
  it('asks for nothing without a name', async () => {
    const { asked, pass } = made('', 0)
    await pass()
    assert.deepEqual(asked, [null])
  })
  it('warns three weeks before the end, once a day, and says when it is over', async () => {
    const { clock, lines, pass } = made(WHOLE, Date.UTC(2026, 0, 1) + 30 * DAY_MS)
    await pass()
    clock.at += 8 * DAY_MS
    assert.deepEqual(await pass(), { name: 'api.example.com', certificateDays: 22 })
    assert.deepEqual(lines, [])
    clock.at += 2 * DAY_MS
    await pass()
    clock.at += DAY_MS / 2
    await pass()
    assert.equal(lines.length, 1)
    assert.match(lines[0]!, /"warn".*certificate ends soon.*2026-01-31T.*\/etc\/ssl\/api\.pem/)
    clock.at += 21 * DAY_MS
    await pass()
    assert.match(lines[1]!, /certificate has ended/)
  })
  it('takes port and addresses from the settings', () =>
    assert.deepEqual(wishOf(configFrom(read(WHOLE))), {
      name: 'api.example.com',
      certificate: '/etc/ssl/api.pem',
      addresses: ['203.0.113.5'],
      port: 443,
    }))
})
