// The test runner itself: nothing that fails, is skipped or never ends may go unseen.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { pathToFileURL } from 'node:url'

const dir = mkdtempSync(join(tmpdir(), 'pbt-runner-'))
after(() => rmSync(dir, { recursive: true }))
let files = 0

/** Runs one test file of this text; answers what is printed, the counts as its last line. */
function outputOf(
  text: string,
  limits: { testMs: number; silenceMs: number; behind?: boolean } = { testMs: 20_000, silenceMs: 30_000 },
): string {
  const file = join(dir, `${++files}.test.mjs`)
  writeFileSync(file, `import { after, before, describe, it } from 'node:test'\n${text}`)
  const runner = pathToFileURL(join(import.meta.dirname, 'run.mjs')).href
  const options = { argv: [process.execPath], files: [file], atOnce: 1, ...limits }
  const code = `
    const { runTests } = await import(${JSON.stringify(runner)})
    const counts = await runTests(${JSON.stringify(options)})
    console.log(Object.values(counts).join(' '))`
  const env = { ...process.env, NODE_TEST_CONTEXT: undefined }
  return spawnSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8', env }).stdout
}
const counts = (output: string) => output.trim().split('\n').at(-1)

describe('the test runner', () => {
  it('counts what passes, and shows what fails whole', () => {
    const output = outputOf(
      `describe('s', () => { it('a', () => {}); it('b', () => { throw new Error('broken') }) })`,
    )
    assert.match(output, /FAILED .*1\.test\.mjs:2 b\n +Error: broken\n +at /)
    assert.equal(counts(output), '1 1 0')
  })

  it('lets others go first when it is told to', () => {
    const text = `
      import { getPriority } from 'node:os'
      it('stands behind', () => { if (getPriority() < 10) throw new Error(String(getPriority())) })`
    assert.equal(counts(outputOf(text, { testMs: 20_000, silenceMs: 30_000, behind: true })), '1 0 0')
    assert.equal(counts(outputOf(text)), '0 1 0')
  })

  it('counts and shows every skip with its reason, those of whole suites too', () => {
    const output = outputOf(`
      describe('whole', { skip: 'needs a cat' }, () => { it('x', () => {}) })
      it('single', { skip: 'needs a dog' }, () => {})
      it('by itself', (t) => t.skip('needs a bird'))
      it.todo('some day')`)
    for (const line of [
      'whole: needs a cat',
      'single: needs a dog',
      'by itself: needs a bird',
      'some day: no reason',
    ])
      assert.ok(output.includes(`skipped: ${line}`), line)
    assert.equal(counts(output), '0 0 4')
  })

  it('shows a suite that throws, and a hook that fails', () => {
    const output = outputOf(`
      describe('thrower', () => { throw new Error('in the suite') })
      describe('hooked', () => { it('a', () => {}); after(() => { throw new Error('left something') }) })`)
    assert.match(output, /FAILED .* thrower\n +Error: in the suite/)
    assert.match(output, /FAILED hook of .* hooked\n +Error: left something/)
    assert.equal(counts(output), '1 2 0')
  })

  it('counts every test of many', () => {
    const output = outputOf(`for (let i = 0; i < 5_000; i++) it('test ' + i, () => {})`)
    assert.equal(counts(output), '5000 0 0')
  })

  it('counts a file that cannot be loaded', () => {
    assert.match(counts(outputOf(`import './nowhere.mjs'`)) ?? '', /^0 [12] 0$/)
  })

  it('ends a test that never ends, and one that blocks its process', () => {
    const never = outputOf(
      `it('never', () => new Promise((done) => setTimeout(done, 600_000)))
       it('next', () => undefined)`,
      { testMs: 300, silenceMs: 2_000 },
    )
    assert.match(never, /never\n +test timed out after 300ms/)
    assert.match(never, /no test ended within 2 s: the file is ended/)
    assert.equal(counts(never), '1 1 0')
    const lingers = outputOf(`setInterval(() => undefined, 1_000); it('passes', () => undefined)`, {
      testMs: 300,
      silenceMs: 2_000,
    })
    assert.equal(counts(lingers), '1 1 0')
    const goesOn = outputOf(
      `for (let i = 0; i < 5; i++) it('passes ' + i, () => new Promise((done) => setTimeout(done, 700)))`,
      { testMs: 2_000, silenceMs: 2_000 },
    )
    assert.equal(counts(goesOn), '5 0 0')
    const mark = join(dir, 'ended')
    const blocks = outputOf(
      `import { spawnSync } from 'node:child_process'
       it('blocks', () => spawnSync('sh', ['-c', 'sleep 4; touch ${mark}']))`,
      { testMs: 300, silenceMs: 1_500 },
    )
    assert.match(blocks, /no test ended within 1\.5 s/)
    assert.equal(counts(blocks), '0 1 0')
    assert.equal(existsSync(mark), false)
  })
})
