// Programs are run with argv arrays, never through a shell, with a time and an output limit.
import { spawn } from 'node:child_process'
import { EngineError } from './errors.ts'

export type RunResult = {
  exit: number
  signal: string | null
  stdout: Buffer
  stderr: Buffer
  truncated: boolean
}
export type RunOptions = {
  stdin?: string | Buffer
  env?: Record<string, string>
  cwd?: string
  timeoutMs?: number
  outputBytesMax?: number
}

/** Runs `argv` to its end and answers exit status and output; rejects only when it cannot be started or runs out of time. */
export function run(argv: string[], options: RunOptions = {}): Promise<RunResult> {
  const { timeoutMs = 30_000, outputBytesMax = 4 << 20 } = options
  const [file = '', ...args] = argv
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      // Not the caller's folder: Python, for one, takes modules from there, and we may be root.
      cwd: options.cwd ?? '/',
      env: options.env ?? { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C.UTF-8' },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    const out: Buffer[] = []
    const err: Buffer[] = []
    let bytes = 0
    let truncated = false
    const collect = (into: Buffer[]) => (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > outputBytesMax) truncated = true
      else into.push(chunk)
    }
    child.stdout.on('data', collect(out))
    child.stderr.on('data', collect(err))
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      reject(new EngineError(`${argv.slice(0, 3).join(' ')}: not within ${timeoutMs} ms`))
    }, timeoutMs)
    child.on('error', (cause) => {
      clearTimeout(timer)
      reject(new EngineError(`cannot run ${file}: ${cause.message}`, { cause }))
    })
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      const stdout = Buffer.concat(out)
      resolve({ exit: code ?? 128, signal, stdout, stderr: Buffer.concat(err), truncated })
    })
    child.stdin.on('error', () => undefined) // the program may end without reading all of it
    child.stdin.end(options.stdin ?? '')
  })
}

/** Like `run`, but a non-zero exit is an EngineError that carries the last line of what the program said. */
export async function runOk(argv: string[], options: RunOptions = {}): Promise<string> {
  const result = await run(argv, options)
  if (result.exit !== 0) {
    const said = (result.stderr.toString().trim() || result.stdout.toString().trim())
      .split('\n')
      .slice(-3)
      .join(' | ')
    throw new EngineError(`${argv.slice(0, 6).join(' ')}: exit ${result.exit}: ${said}`)
  }
  return result.stdout.toString()
}
