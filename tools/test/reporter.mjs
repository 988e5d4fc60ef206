// Failures whole, skips with their reason; at the end the files that took longest, and counts.
export default async function* reporter(source) {
  let passed = 0
  let failed = 0
  let skipped = 0
  const took = []
  for await (const { type, data } of source) {
    const suite = data.details?.type === 'suite'
    if (type === 'test:pass') {
      // A suite that is skipped hides its tests: it is the one thing there is to count.
      const why = data.skip ?? data.todo
      if (why !== undefined && why !== false) {
        skipped++
        yield `   skipped: ${data.name}: ${why === true || why === '' ? 'no reason is given' : why}\n`
      } else if (!suite) passed++
      yield 'PASSED\n' // run.mjs, which keeps it to itself, sees that something goes on
    }
    // A suite fails by its tests, which are told already, or by itself: it threw, or one of its hooks did.
    if (type === 'test:fail' && !(suite && data.details.error?.failureType === 'subtestsFailed')) {
      failed++
      const error = data.details.error
      const what = error?.failureType === 'hookFailed' ? 'hook of ' : ''
      yield `\n   FAILED ${what}${data.file ?? ''}:${data.line ?? ''} ${data.name}\n${indent(error?.cause?.stack ?? error?.cause ?? error?.stack ?? error)}\n\n`
    }
    if (type === 'test:summary' && data.file) took.push({ file: data.file, ms: data.duration_ms })
    if (type === 'test:stdout' || type === 'test:stderr') yield indent(data.message.trimEnd()) + '\n'
  }
  const slowest = took.sort((one, other) => other.ms - one.ms).slice(0, SLOWEST)
  if (took.length > SLOWEST)
    yield `   longest: ${slowest.map(({ file, ms }) => `${file.split('/').at(-1)} ${(ms / 1000).toFixed(0)} s`).join(', ')}\n`
  yield `SUMMARY ${passed} ${failed} ${skipped}\n`
}

const SLOWEST = 8
const indent = (text) => String(text).replace(/^/gm, '      ')
