// The examples of AWS's documentation, "Filter and pattern syntax", and what is around them.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parsePattern } from './pattern.ts'

const TRAIL = JSON.stringify({
  eventType: 'UpdateTrail',
  sourceIPAddress: '111.111.111.111',
  arrayKey: ['value', 'another value'],
  objectList: [
    { name: 'a', id: 1 },
    { name: 'b', id: 2 },
  ],
  SomeObject: null,
  ThisFlag: true,
  'cluster.name': 'c',
})
const PEOPLE = JSON.stringify({
  user: { id: 1, email: 'John.Stiles@example.com' },
  users: [
    { id: 2, email: 'John.Doe@example.com' },
    { id: 3, email: 'Jane.Doe@example.com' },
  ],
  actions: ['GET', 'PUT', 'DELETE'],
  coordinates: [
    [0, 1, 2],
    [4, 5, 6],
    [7, 8, 9],
  ],
})
const FIGURES = JSON.stringify({
  latency: 1_500,
  numbers: [0.005],
  errorCode: 400,
  processes: [{}, {}, {}, {}, { averageRuntime: 55.5 }],
  text: '400',
})
const OK = '127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /apache_pb.gif HTTP/1.0" 200 1534'
const BROKEN = '127.0.0.1 - frank [10/Oct/2000:13:35:22 -0700] "GET /apache_pb.gif HTTP/1.0" 500 5324'
const MISSING = '127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534'

const matches: [pattern: string, yes: string[], no: string[]][] = [
  ['', ['anything', ''], []],
  ['" "', ['anything'], []],
  ['ERROR', ['[ERROR] A fatal exception has occurred', 'Exiting with ERRORCODE: -1'], ['an error']],
  ['"ERROR" - "Exiting"', ['[ERROR] A fatal exception'], ['Exiting with ERRORCODE: -1']],
  ['ERROR Exception', ['[ERROR] Caught IllegalArgumentException', '[ERROR] Unhandled Exception'], ['ERROR']],
  ['Failed to process the request', ['[WARN] Failed to process the request'], ['Failed to process']],
  ['"INTERNAL SERVER ERROR"', ['[500 INTERNAL SERVER ERROR]'], ['INTERNAL ERROR SERVER']],
  ['"say \\"hi\\""', ['they say "hi"'], ['they say hi']],
  ['?ERROR ?WARN', ['ERROR WARN message', 'ERROR message', 'WARN message'], ['INFO message']],
  ['ERROR WARN', ['ERROR WARN message'], ['ERROR message', 'WARN message']],
  ['ERROR -WARN', ['ERROR message'], ['ERROR WARN message', 'WARN message']],
  ['?ERROR REQUEST', ['INFO REQUEST', 'ERROR REQUEST'], ['ERROR']],
  ['-DEBUG', ['INFO'], ['DEBUG x']],

  ['{ $.eventType = "UpdateTrail" }', [TRAIL], [PEOPLE, 'UpdateTrail', '{"eventType": ']],
  ['{ $.sourceIPAddress != 123.123.* }', [TRAIL], ['{"sourceIPAddress":"123.123.1.2"}', PEOPLE]],
  ['{ $.sourceIPAddress = 111.* }', [TRAIL], [PEOPLE]],
  ['{ $.eventType = *Trail }', [TRAIL], ['{"eventType":"Trails"}']],
  ['{ $.eventType = *date* }', [TRAIL], ['{"eventType":"Put"}']],
  ['{ $.eventType = Ev*ent }', ['{"eventType":"Ev*ent"}'], ['{"eventType":"Evxent"}']],
  ['{ $.arrayKey[0] = "value" }', [TRAIL], ['{"arrayKey":"value"}']],
  ['{ $.arrayKey[*] = "another value" }', [TRAIL], ['{"arrayKey":["x"]}']],
  ['{ $.objectList[1].id = 2 }', [TRAIL], ['{"objectList":[1,2]}', '{"objectList":{"1":{"id":2}}}']],
  ['{ $.SomeObject IS NULL }', [TRAIL], [PEOPLE]],
  ['{ $.SomeOtherObject NOT EXISTS }', [TRAIL], ['{"SomeOtherObject":null}']],
  ['{ $.ThisFlag IS TRUE }', [TRAIL], ['{"ThisFlag":"true"}', '{"ThisFlag":false}']],
  ['{ $.ThisFlag IS FALSE }', ['{"ThisFlag":false}'], [TRAIL]],
  ["{ $.['cluster.name'] = c }", [TRAIL], [PEOPLE]],
  ['{ $.* = "UpdateTrail" }', [TRAIL], [PEOPLE]],
  ['{ ($.user.id = 1) && ($.users[0].email = "John.Doe@example.com") }', [PEOPLE], []],
  ['{ ($.user.id = 2 && $.users[0].email = "nonmatch") || $.actions[2] = "GET" }', [], [PEOPLE]],
  [
    '{ $.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = nonmatch && $.actions[2] = nomatch }',
    [PEOPLE],
    [],
  ],
  [
    '{ ($.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = nonmatch) && $.actions[2] = nomatch }',
    [],
    [PEOPLE],
  ],
  ['{ $.users = 1 }', [], ['{"users":[1,2,3]}']],
  ['{ $.users != 1 }', [], ['{"users":[1,2,3]}']],
  ['{ $.latency >= 500 }', [FIGURES], ['{"latency":499.9}', '{"latency":"600"}']],
  ['{ $.numbers[0] < 10e3 }', [FIGURES], []],
  ['{ $.numbers[0] < 10e-3 }', [FIGURES], ['{"numbers":[0.02]}']],
  ['{ $.processes[4].averageRuntime <= 55.5 }', [FIGURES], []],
  ['{ $.errorCode = 400 }', [FIGURES], ['{"errorCode":4000}']],
  ['{ $.errorCode != 500 }', [FIGURES], ['{"errorCode":500}', '{}']],
  ['{ $.latency > +1000 }', [FIGURES], []],
  ['{ $.text = 400 }', [FIGURES], []],
  ['{ $.latency = * }', [FIGURES], [TRAIL]],
  ['{$.foo = bar || $.foo = baz }', ['{"foo": "bar"}', '{"foo": "baz"}'], ['{"foo":"x"}']],
  ['{ $.constructor = * }', [], ['{}']],

  ['[w1=ERROR, w2]', ['ERROR message'], ['ERROR WARN message', 'WARN message']],
  ['[w1=ERROR || w1=WARN, w2]', ['ERROR message', 'WARN message'], ['ERROR WARN message']],
  ['[w1!=ERROR && w1!=WARN, w2]', ['INFO message'], ['ERROR message', 'WARN message']],
  ['[ip, user, username, timestamp, request, status_code, bytes]', [OK, BROKEN], ['a b c']],
  ['[..., status_code, bytes]', [OK], ['one']],
  ['[ip, user, ..., status_code, bytes]', [OK], ['a b c']],
  ['[ip, user, ...]', [OK, 'a b'], ['a']],
  ['[...]', [OK, ''], []],
  ['[ip, user, username, timestamp, request, status_code, bytes > 1000]', [OK], [`${OK.slice(0, -4)}999`]],
  ['[ip, user, username, timestamp, request, status_code = 200, bytes]', [OK], [BROKEN]],
  ['[ip, user, username, timestamp, request, status_code = 4*, bytes]', [MISSING], [OK, BROKEN]],
  ['[ip, user, username, timestamp, request = *html*, status_code = 4*, bytes]', [MISSING], [OK]],
  ['[..., status_code = 4* && status_code != 403, bytes]', [MISSING], [MISSING.replace('404', '403'), OK]],
  ['[..., request=*.html*, status_code=4*,]', [MISSING], [OK]],
  ['[ip, ..., request="GET /index.html HTTP/1.0", status_code, bytes]', [MISSING], [OK]],
  ['[level, (code >= 400 && code < 500) || code = 599]', ['x 404', 'x 599'], ['x 500', 'x y']],
]

describe('a filter pattern', () => {
  for (const [pattern, yes, no] of matches)
    it(pattern || 'of nothing', () => {
      const match = parsePattern(pattern)
      for (const message of yes) assert.equal(match(message), true, message)
      for (const message of no) assert.equal(match(message), false, message)
    })
})

const INVALID = 'Invalid filter pattern'
const wrong: [pattern: string, message: RegExp | string][] = [
  ['foo-bar', "Invalid character(s) in term 'foo-bar'"],
  ['"open', INVALID],
  ['-', "Invalid character(s) in term '-'"],
  ['{ $.a = 1', INVALID],
  ['{}', INVALID],
  ['{ a = 1 }', INVALID],
  ['{ $ = 1 }', INVALID],
  ['{ $.a == 1 }', INVALID],
  ['{ $.a > b }', INVALID],
  ['{ $.a > "1" }', INVALID],
  ['{ $.a = 1 && }', INVALID],
  ['{ ($.a = 1 }', INVALID],
  ['{ $.a = 1 $.b = 2 }', INVALID],
  ['{ $.a = b!c }', INVALID],
  ['{ $.a IS SOMETHING }', INVALID],
  ['[a, b', INVALID],
  ['[a, ..., b, ...]', INVALID],
  ['[a b]', INVALID],
  ['[= 4*]', INVALID],
  ['[ip, user, username, timestamp, request, status_code = 4* && bytes > 1000]', INVALID],
  ['%ERROR%', /^Invalid filter pattern: regular expressions/],
  ['{ $.a = %x% }', /^Invalid filter pattern: regular expressions/],
  ['[a = %x%]', /^Invalid filter pattern: regular expressions/],
]

describe('no filter pattern', () => {
  for (const [pattern, message] of wrong)
    it(pattern, () => assert.throws(() => parsePattern(pattern), { name: 'InvalidPattern', message }))

  it('however deep it is, takes long', () => {
    assert.throws(() => parsePattern(`{ ${'('.repeat(1_000)} }`), { name: 'InvalidPattern' })
    const nested = `{ ${'('.repeat(300)}$.a = 1${')'.repeat(300)} }`
    assert.equal(parsePattern(nested)('{"a":1}'), true)
    for (const part of ['[', '[ ', '" ', '"x ']) {
      assert.equal(parsePattern('[...]')(part.repeat(200_000)), true)
      assert.equal(parsePattern('[...]')(`${part.repeat(200_000)}]x`), true)
    }
  })
})
