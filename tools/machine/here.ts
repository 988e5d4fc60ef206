// Programs on this machine, at the lowest priority: whoever works here must not notice.
import { spawn } from 'node:child_process'

export type RunOptions = { stdin?: string | Buffer; timeoutMs?: number; signal?: AbortSignal | undefined }

/** Answers what it wrote to standard output. Throws its last lines when it fails, is too slow or is stopped. */
export function runHere(
  argv: string[],
  { stdin = '', timeoutMs = 900_000, signal }: RunOptions = {},
): Promise<string> {
  const [file = '', ...args] = argv
  return new Promise((resolve, reject) => {
    const child = spawn('nice', ['-n', '19', file, ...args], {
      timeout: timeoutMs,
      ...(signal ? { signal } : {}),
    })
    let out = ''
    let all = ''
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString()
      all += chunk.toString()
    })
    child.stderr.on('data', (chunk: Buffer) => (all += chunk.toString()))
    let failure: Error | undefined
    child.on('error', (error) => {
      // Of one that runs and is told to end, its end is awaited: what it uses is removed next.
      if (child.pid === undefined) reject(error)
      else failure = error
    })
    child.on('close', (status, ended) => {
      if (failure) return reject(failure)
      if (status === 0) return resolve(out)
      const last = all.trim().split('\n').slice(-30).join('\n')
      reject(new Error(`${file} ${ended ? `was ended by ${ended}` : `failed (exit ${status})`}\n${last}`))
    })
    child.stdin.on('error', () => undefined)
    child.stdin.end(stdin)
  })
}
