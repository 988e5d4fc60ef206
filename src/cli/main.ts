// The command line: a thin client of the API, plus the commands that only root on this machine can do.
import { CommanderError } from 'commander'
import { EngineError } from '../kernel/errors.ts'
import { EXIT, Failure } from './failure.ts'
import { note, watchReaders } from './output.ts'
import { makeProgram, verbOf } from './program.ts'

// bin/polebean's word to our own Node: programs that we start are none of its business.
delete process.env['NODE_COMPILE_CACHE']
watchReaders()
try {
  await makeProgram().parseAsync()
} catch (error) {
  const status = tell(error)
  if (status !== EXIT.ok) {
    await tellShell(error)
    process.exit(status)
  }
}

/** Says what went wrong: a sentence when it was to be expected, everything there is when it is a bug. */
function tell(error: unknown): number {
  // Commander has said it.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
  const expected =
    error instanceof Failure ||
    error instanceof EngineError ||
    (error instanceof Error && error.name === 'NewerHomeError')
  if (expected) note(`polebean: ${error.message}`)
  else note(`polebean: this is a bug in Polebean: ${error instanceof Error ? error.stack : String(error)}`)
  return error instanceof Failure ? error.status : EXIT.failed
}

/** `eval "$(polebean env)"` would go on in silence after any failure. */
async function tellShell(error: unknown): Promise<void> {
  const { verb, rest } = verbOf(process.argv.slice(2))
  if (verb !== 'env' || rest.includes('--json') || rest.includes('--profile')) return
  const { failInShell } = await import('./commands/env.ts')
  failInShell(error instanceof Error ? error.message : String(error))
}
