// `node sim/main.ts --seed N` shows one seed with its trace; `--seeds N [--from M]` plays many.
import { parseArgs } from 'node:util'
import { play } from './play.ts'

const { values } = parseArgs({
  options: { seed: { type: 'string' }, seeds: { type: 'string' }, from: { type: 'string' } },
})
const first = Number(values.seed ?? values.from ?? 1)
const count = values.seed ? 1 : Number(values.seeds ?? 100)
let bad = 0
const startedAt = performance.now()
for (let seed = first; seed < first + count; seed++) {
  const { wrong, trace, crashes } = await play(seed).catch((error: Error) => ({
    wrong: [error.stack ?? String(error)],
    trace: [],
    crashes: 0,
  }))
  if (wrong.length > 0) bad++
  if (wrong.length > 0 || values.seed) {
    console.log(`seed ${seed}: ${wrong.length === 0 ? 'ok' : wrong.join('\n  ')} (${crashes} crashes)`)
    if (values.seed) console.log(trace.map((line) => `  ${line}`).join('\n'))
  }
}
console.log(
  `${count - bad} of ${count} seeds came to rest, in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`,
)
process.exitCode = bad === 0 ? 0 : 1
