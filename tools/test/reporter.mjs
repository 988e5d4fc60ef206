// One line a file, failures whole, skips with their reason, counts at the end.
export default async function* reporter(source) {
  let passed = 0
  let failed = 0
  let skipped = 0
  for await (const { type, data } of source) {
    if (type === 'test:pass' && data.details?.type !== 'suite') {
      if (data.skip !== undefined && data.skip !== false) {
        skipped++
        yield `   skipped: ${data.name}: ${data.skip}\n`
      } else passed++
    }
    if (type === 'test:fail' && data.details?.type !== 'suite') {
      failed++
      const error = data.details.error
      yield `\n   FAILED ${data.file ?? ''}:${data.line ?? ''} ${data.name}\n${indent(error?.cause?.stack ?? error?.stack ?? error)}\n\n`
    }
    if (
      type === 'test:fail' &&
      data.details?.type === 'suite' &&
      data.details.error?.failureType === 'hookFailed'
    ) {
      failed++
      yield `\n   FAILED hook of ${data.name}\n${indent(data.details.error?.cause?.stack)}\n\n`
    }
    if (type === 'test:stdout' || type === 'test:stderr') yield indent(data.message.trimEnd()) + '\n'
  }
  yield `SUMMARY ${passed} ${failed} ${skipped}\n`
}

const indent = (text) => String(text).replace(/^/gm, '      ')
