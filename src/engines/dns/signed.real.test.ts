// Signed zones of PowerDNS, as a validator of others sees them (delv, of BIND).
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, describe, it } from 'node:test'
import { dnskeyOf, makeZoneKey, type ZoneKey } from '../../kernel/zone-key.ts'
import { zoneWith } from './conformance.ts'
import type { RecordSet } from './engine.ts'
import { DATABASE } from './powerdns-config.ts'
import { HOST, startTestServer, type TestServer } from './test-server.ts'

const ZONE = 'example.com'
const one = (value: string) => ({ weighted: [{ values: [value], weight: 1 }] })
const a = (name: string, value: string): RecordSet => ({ name, type: 'A', ttl: 60, values: [value] })
const SETS: RecordSet[] = [
  a('www.example.com', '192.0.2.1'),
  a('a.deep.example.com', '192.0.2.2'),
  a('*.wild.example.com', '192.0.2.3'),
  { name: 'alias.example.com', type: 'CNAME', ttl: 60, values: ['www.example.com.'] },
  { name: 'away.example.com', type: 'NS', ttl: 60, values: ['ns.elsewhere.example.'] },
  { ...{ name: 'app.example.com', type: 'A', ttl: 60 }, chosen: one('192.0.2.4'), inside: one('10.0.0.1') },
  {
    ...{ name: 'shares.example.com', type: 'A', ttl: 60 },
    chosen: {
      weighted: [
        { values: ['192.0.2.5'], weight: 1 },
        { values: ['192.0.2.6', '192.0.2.7'], weight: 1 },
      ],
    },
  },
  { ...{ name: 'many.example.com', type: 'A', ttl: 60 }, chosen: { anyOf: ['192.0.2.8', '192.0.2.9'] } },
]

const NO_NAME = /^; negative response, fully validated\n.*NXDOMAIN\n/
const NO_TYPE = /^; negative response, fully validated\n.*NXRRSET\n/

describe('a signed zone of PowerDNS', { concurrency: 1 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'pbt-'))
  const [key, other] = [makeZoneKey(), makeZoneKey()]
  let server: TestServer
  before(async () => {
    server = await startTestServer()
  })
  after(async () => {
    await server.end()
    rmSync(folder, { recursive: true, force: true })
  })
  const put = (keys: ZoneKey[], sets = SETS, serial = 1) => {
    const { name, recordSets } = zoneWith(ZONE, ...sets)
    const [soa, ...rest] = recordSets
    const values = [`ns1.${ZONE}. hostmaster.${ZONE}. ${serial} 7200 900 1209600 60`]
    return server.dns.put({ name, keys, recordSets: [{ ...soa!, values }, ...rest] })
  }
  beforeEach(() => put([key]))

  /** What a validator says that knows this key and no other. */
  function validated(name: string, type = 'A', trusted = key): Promise<string> {
    const [flags, protocol, algorithm, publicKey] = dnskeyOf(trusted).split(' ')
    const anchors = join(folder, 'anchors')
    const anchor = `"${ZONE}" static-key ${flags} ${protocol} ${algorithm} "${publicKey}";`
    writeFileSync(anchors, `trust-anchors { ${anchor} };\n`)
    const argv = ['-a', anchors, `+root=${ZONE}`, `@${HOST}`, '-p', String(server.port), name, type]
    return new Promise((answer) =>
      execFile('delv', argv, (_error, stdout, stderr) => answer(`${stdout}${stderr}`)),
    )
  }

  const names: [name: string, type: string, says: RegExp][] = [
    ['www.example.com', 'A', /^; fully validated\nwww.example.com.\s+60\s+IN\s+A\s+192\.0\.2\.1\n/],
    ['example.com', 'SOA', /^; fully validated/],
    ['example.com', 'DNSKEY', /^; fully validated/],
    ['any.wild.example.com', 'A', /^; fully validated\n.*192\.0\.2\.3\n/],
    ['alias.example.com', 'A', /^; fully validated\nalias[^]*CNAME[^]*192\.0\.2\.1\n/],
    ['app.example.com', 'A', /^; fully validated\n.*192\.0\.2\.4\n/],
    ['shares.example.com', 'A', /^; fully validated\n.*192\.0\.2\.[567]\n/],
    ['many.example.com', 'A', /^; fully validated\n.*192\.0\.2\.[89]\n/],
    ['none.example.com', 'A', NO_NAME],
    ['none.deep.example.com', 'A', NO_NAME],
    ['deep.example.com', 'A', NO_TYPE],
    ['www.example.com', 'TXT', NO_TYPE],
    ['app.example.com', 'AAAA', NO_TYPE],
    ['away.example.com', 'DS', NO_TYPE],
  ]
  for (const [name, type, says] of names)
    it(`is valid at ${name} ${type}`, async () => assert.match(await validated(name, type), says))

  it('is valid to nobody who knows another key', async () => {
    assert.doesNotMatch(await validated('www.example.com', 'A', other), /fully validated/)
  })

  it('names no other name where it proves that one is not there', async () => {
    const additionals = [
      { type: 'OPT', name: '.', udpPayloadSize: 4096, flag_do: true, flags: 32_768, options: [] },
    ]
    const { authorities = [] } = await server.ask('none.example.com', 'A', { additionals })
    const types = new Set(authorities.map(({ type }) => type as string))
    assert.deepEqual([...types].toSorted(), ['NSEC3', 'RRSIG', 'SOA'])
    for (const { name } of authorities) assert.match(name, /^([0-9a-v]{32}\.)?example\.com$/)
  })

  it('is valid after each change of it: a record, a new name, one that goes', async () => {
    await put(
      [key],
      [...SETS.slice(1), a('www.example.com', '192.0.2.99'), a('new.example.com', '192.0.2.98')],
      2,
    )
    assert.match(await validated('www.example.com'), /^; fully validated\n.*192\.0\.2\.99\n/)
    assert.match(await validated('new.example.com'), /^; fully validated\n.*192\.0\.2\.98\n/)
    assert.match(await validated('mew.example.com'), NO_NAME)
    await put([key], SETS.slice(1), 3)
    assert.match(await validated('www.example.com'), NO_NAME)
    assert.match(await validated('app.example.com'), /^; fully validated/)
  })

  it('is valid by either key while there are two, and by the one that stays', async () => {
    await put([key, other], SETS, 2)
    for (const trusted of [key, other])
      assert.match(await validated('www.example.com', 'A', trusted), /^; fully validated/)
    await put([other], SETS, 3)
    assert.match(await validated('www.example.com', 'A', other), /^; fully validated/)
    assert.doesNotMatch(await validated('www.example.com', 'A', key), /fully validated/)
  })

  it('is unsigned without a key, and signed again with one', async () => {
    await put([], SETS, 2)
    const additionals = [{ type: 'OPT', name: '.', udpPayloadSize: 4096, flags: 32_768, options: [] }]
    const typesOf = async (name: string) => {
      const { answers = [], authorities = [] } = await server.ask(name, 'A', { additionals })
      return [...answers, ...authorities].map(({ type }) => type as string).toSorted()
    }
    assert.deepEqual(await typesOf('www.example.com'), ['A'])
    assert.deepEqual(await typesOf('none.example.com'), ['SOA'])
    await put([key], SETS, 3)
    assert.deepEqual(await typesOf('www.example.com'), ['A', 'RRSIG'])
    assert.match(await validated('none.example.com'), /negative response, fully validated/)
  })

  it('is as it was when the server was killed, and by the same key when its database was lost', async () => {
    const [{ pid } = { pid: null }] = await server.supervisor.list()
    process.kill(pid!, 'SIGKILL')
    await server.dns.ensure()
    assert.match(await validated('www.example.com'), /^; fully validated/)
    await server.supervisor.stop('dns')
    for (const end of ['', '-wal', '-shm']) rmSync(join(server.settings.dir, DATABASE + end), { force: true })
    await server.dns.ensure()
    assert.deepEqual(await server.dns.zones(), [])
    await put([key])
    assert.match(await validated('www.example.com'), /^; fully validated/)
    assert.match(await validated('none.example.com'), /negative response, fully validated/)
  })
})
