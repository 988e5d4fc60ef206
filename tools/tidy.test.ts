// The house rules as tests (design §2.13): import arrows, sizes, banned words, no await in transactions.
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, it } from 'node:test'

type Source = { path: string; text: string; lines: number }

const read = (pattern: string): Source[] =>
  globSync(pattern)
    .filter((path) => !path.includes('generated/') && !path.includes('node_modules/'))
    .map((path) => {
      const text = readFileSync(path, 'utf8')
      return { path, text, lines: text.split('\n').length }
    })

const all = read('{src,sim,test,bench,tools}/**/*.{ts,mjs}')
// What only tests use: fakes, fixtures, conformance suites.
const FOR_TESTS =
  /\.test\.ts$|\/(?:conformance|fake|fake-[\w-]+|fixture|[\w-]+-fixture|test-[\w-]+)\.ts$|\/testing\//
const product = all.filter(({ path }) => path.startsWith('src/') && !FOR_TESTS.test(path))

/** Folder → folders it may import from. A service reaches another only through cloud.ts. */
const ARROWS: [from: RegExp, may: RegExp][] = [
  [/^src\/kernel\//, /^src\/kernel\//],
  [/^src\/store\//, /^src\/(store|kernel)\//],
  [/^src\/config\//, /^src\/(config|kernel)\//],
  [/^src\/control\//, /^src\/(control|store|kernel)\//],
  [/^src\/engines\//, /^src\/(engines|kernel)\//],
  [
    /^src\/gateway\//,
    /^src\/(gateway|kernel)\/|^src\/store\/store\.ts$|^src\/services\/(context|service)\.ts$/,
  ],
  [
    /^src\/platforms\//,
    /^src\/(platforms|kernel)\/|^src\/engines\/compute\/engine\.ts$|^src\/services\/cloud\.ts$/,
  ],
  [/^src\/services\//, /^src\/(services|store|control|platforms|kernel)\/|^src\/engines\/\w+\/engine\.ts$/],
]

describe('import arrows', () => {
  it('point one way', () => {
    const wrong = product.flatMap(({ path, text }) => {
      const may = ARROWS.find(([from]) => from.test(path))?.[1]
      if (!may) return []
      return importsOf(path, text)
        .filter((target) => !may.test(target))
        .map((target) => `${path} imports ${target}`)
    })
    assert.deepEqual(wrong, [])
  })
  it('lead from no service to another', () => {
    const wrong = product.flatMap(({ path, text }) => {
      const own = /^src\/services\/(\w+)\//.exec(path)?.[1]
      if (!own) return []
      return importsOf(path, text)
        .filter(
          (target) =>
            /^src\/services\/\w+\//.test(target) &&
            !new RegExp(`^src/services/(${own}|generated)/`).test(target),
        )
        .map((target) => `${path} imports ${target}`)
    })
    assert.deepEqual(wrong, [])
  })
})

describe('files', () => {
  it('have at most 500 lines', () => {
    assert.deepEqual(
      all.filter(({ lines }) => lines > 500).map(({ path, lines }) => `${path}: ${lines}`),
      [],
    )
  })
})

/** Word → what to use, and where it may stand. */
const BANNED: [word: RegExp, instead: string, allowed: RegExp][] = [
  [/\bDate\.now\(|\bnew Date\(\)/, 'a Clock', /^src\/kernel\//],
  [/\bMath\.random\(|\brandomUUID\(|\brandomBytes\(/, 'a Random or Ids', /^src\/kernel\//],
  [/(?<!\.)\bset(?:Timeout|Interval)\(/, 'clock.sleep', /^src\/(kernel|cli)\//],
  [/shell: *true|\bexecSync\(|(?<!\.)\bexec\(['"`]/, 'an argv array', /^$/],
  [/\bas any\b|\bas unknown as\b|@ts-ignore|@ts-expect-error/, 'a type', /^$/],
  [/\b(TODO|FIXME|XXX|HACK)\b/, 'an issue', /^$/],
]

describe('words', () => {
  for (const [word, instead, allowed] of BANNED)
    it(`${word.source} does not occur: use ${instead}`, () => {
      const found = product
        .filter(({ path }) => !allowed.test(path))
        .flatMap(({ path, text }) =>
          text
            .split('\n')
            .flatMap((line, index) =>
              word.test(line) && !/^\s*(\/\/|\*)/.test(line) ? [`${path}:${index + 1}`] : [],
            ),
        )
      assert.deepEqual(found, [])
    })
})

describe('transactions', () => {
  it('hold no await', () => {
    const found = product.filter(({ text }) => /transaction\(\s*async\b/.test(text)).map(({ path }) => path)
    assert.deepEqual(found, [])
  })
  it('operations are not async, but for those that stream bodies or read the outside', () => {
    const found = product
      .filter(({ path }) => /^src\/services\/(?!s3\/)\w+\/(operations|workflows)\//.test(path))
      .filter(({ text }) => /\basync\b|\bawait\b/.test(text))
      .map(({ path }) => path)
    assert.deepEqual(found, [])
  })
})

function importsOf(path: string, text: string): string[] {
  const found = text.matchAll(/^(?:import|export)[^'"]*?from '(\.[^']+)'|^import '(\.[^']+)'/gm)
  return [...found].map((match) => normalize(join(dirname(path), match[1] ?? match[2] ?? '')))
}
