// Programs run inside from the outside, within limits of time and output; what they left running there is ended too.
import type { Clock } from '../../kernel/clock.ts'
import { EngineError } from '../../kernel/errors.ts'
import { run } from '../../kernel/process.ts'
import type { ExecOptions, ExecResult } from './engine.ts'
import type { Sandboxes } from './sandbox.ts'

/** Runs `argv` in a sandbox that is running; stdout and stderr come back in the order in which they were written. */
export async function execInside(
  { sandboxes, clock }: { sandboxes: Sandboxes; clock: Clock },
  id: string,
  argv: string[],
  { user = 'root', stdin, timeoutMs, outputBytesMax }: ExecOptions,
): Promise<ExecResult> {
  const seconds = String(Math.max(1, Math.ceil(timeoutMs / 1000)))
  const inside = ['timeout', '-k', '1', seconds, '/bin/sh', '-c', 'exec "$@" 2>&1', 'exec', ...argv]
  const startedAt = clock.monotonic()
  const env = { HOME: user === 'root' ? '/root' : '/home/webapp' }
  const result = await run(sandboxes.execArgv(id, user, env, '/', inside), {
    ...(stdin === undefined ? {} : { stdin }),
    timeoutMs: timeoutMs + SPARE_MS,
    outputBytesMax,
  })
  // The program itself may answer these codes too.
  if ([TIMED_OUT, KILLED].includes(result.exit) && clock.monotonic() - startedAt >= Number(seconds) * 1000)
    throw new EngineError(
      `${argv[0]} in ${id}: not within ${seconds} seconds: ${result.stdout.toString().slice(-2_000)}`,
    )
  if (result.exit === RUNC_FAILED && result.stdout.length === 0)
    throw new EngineError(`cannot run ${argv[0]} in ${id}: ${result.stderr.toString().trim().slice(-500)}`)
  return { exit: result.exit, output: result.stdout.toString(), truncated: result.truncated }
}

/** The last bytes of a file, read inside: a link in it leads nowhere else than it would for the application. */
export async function tailInside(
  sandboxes: Sandboxes,
  id: string,
  path: string,
  tailBytes: number,
): Promise<Buffer> {
  const bytes = Math.min(Math.max(0, Math.floor(tailBytes)), TAIL_BYTES_MAX)
  const argv = ['timeout', '-k', '1', '10', 'tail', '-c', String(bytes), '--', path]
  const result = await run(sandboxes.execArgv(id, 'root', {}, '/', argv), {
    timeoutMs: 15_000,
    outputBytesMax: bytes + 4_096,
  })
  if (result.exit !== 0)
    throw new EngineError(`${id}: ${result.stderr.toString().trim().slice(-300) || `cannot read ${path}`}`)
  return result.stdout
}

/** The ends of all logs, in the order of their names; what is too much is cut off at the end. */
export async function logsInside(
  sandboxes: Sandboxes,
  id: string,
  { tailBytes, bytesMax }: { tailBytes: number; bytesMax: number },
): Promise<string> {
  const argv = ['timeout', '-k', '1', '10', '/bin/sh', '-c', LOGS, 'logs']
  const limits = [tailBytes, bytesMax].map((bytes) => String(Math.floor(bytes)))
  const result = await run(sandboxes.execArgv(id, 'root', {}, '/', [...argv, ...limits]), {
    timeoutMs: 15_000,
    outputBytesMax: bytesMax + 4_096,
  })
  if (result.exit !== 0 && result.stdout.length === 0)
    throw new EngineError(`${id}: ${result.stderr.toString().trim().slice(-300) || 'cannot read its logs'}`)
  return result.stdout.toString()
}

// $1 bytes of each, $2 of all. Plain files only; `current` is what svlogd writes to.
const LOGS = `
find /var/log -type f -size +0 ! -name lock ! -name config ! -path '*/nginx/*.gz' -print0 | sort -z |
  xargs -0 -r -n 50 tail -v -c "$1" -- | head -c "$2"
`

const TAIL_BYTES_MAX = 16 << 20
const SPARE_MS = 5_000
const TIMED_OUT = 124
const KILLED = 137
const RUNC_FAILED = 255
