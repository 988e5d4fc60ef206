// `ssh`: a shell, or a program, in an instance. No SSH is spoken: the server opens it, behind the signature of the API.
import { spawnSync } from 'node:child_process'
import { constants } from 'node:os'
import type { Duplex } from 'node:stream'
import { frame, PROTOCOL, readFrames, SESSIONS_PATH, sizeFrame, type Start } from '../../sessions/frames.ts'
import type { Api, ApiHome } from '../client.ts'
import { chooseEnvironment } from '../environments.ts'
import { instancesOf } from '../instances.ts'
import { EXIT, Failure } from '../failure.ts'
import { note } from '../output.ts'
import { openApiHere } from '../remote-api.ts'

type Options = { user?: string; instance?: string }

/** As ssh has it: its own, not the command's. */
export const CUT = 255

/** Answers the exit status of what was run; `CUT` when the session ended before it. */
export async function ssh(
  homeDir: string,
  named: string | undefined,
  argv: string[],
  { user = 'root', instance }: Options,
): Promise<number> {
  if (user !== 'root' && user !== 'webapp')
    throw new Failure(`--user is root or webapp, not '${user}'; other users are none that log in`, EXIT.usage)
  const api = openApiHere(homeDir)
  const id = await chooseInstance(api, named, instance)
  const hasTerminal = process.stdin.isTTY === true && process.stdout.isTTY === true
  const start: Start = {
    argv,
    user,
    terminal: hasTerminal
      ? { ...sizeNow(), name: /^[\w.+-]{1,64}$/.exec(process.env.TERM ?? '')?.[0] ?? 'xterm' }
      : null,
  }
  const stream = await api.upgrade(`${SESSIONS_PATH}${id}`, PROTOCOL)
  return converse(stream, start)
}

async function chooseInstance(
  api: Api<ApiHome>,
  named: string | undefined,
  number: string | undefined,
): Promise<string> {
  if (named !== undefined && /^i-/.test(named)) {
    if (number !== undefined)
      throw new Failure('--instance goes with an environment, not with an instance', EXIT.usage)
    if (!/^i-[0-9a-f]{8,17}$/.test(named))
      throw new Failure(
        `not the id of an instance: ${JSON.stringify(named)}; it looks like i-0123456789abcdef0`,
        EXIT.usage,
      )
    return named
  }
  const environment = await chooseEnvironment(api, named)
  const ids = (await instancesOf(api, environment)).map(({ id }) => id)
  if (ids.length === 0)
    throw new Failure(
      `${environment.name} has no instance now; see: polebean events ${environment.name}`,
      EXIT.operationFailed,
    )
  if (number === undefined && ids.length === 1) return ids[0]!
  const list = ids.map((id, index) => `${index + 1}) ${id}`).join(', ')
  if (number === undefined)
    throw new Failure(
      `which instance of ${environment.name}? Say --instance NUMBER or its id: ${list}`,
      EXIT.usage,
    )
  const chosen = /^\d+$/.test(number) ? ids[Number(number) - 1] : undefined
  if (chosen === undefined)
    throw new Failure(
      `${environment.name} has no instance number ${JSON.stringify(number)}; there are: ${list}`,
      EXIT.usage,
    )
  return chosen
}

const sizeNow = () => ({ rows: process.stdout.rows ?? 24, columns: process.stdout.columns ?? 80 })

async function converse(stream: Duplex, start: Start): Promise<number> {
  stream.on('error', () => undefined) // its end is seen below
  stream.write(frame('start', JSON.stringify(start)))
  const { stdin } = process
  const resize = () => {
    const { rows, columns } = sizeNow()
    stream.write(sizeFrame(rows, columns))
  }
  if (start.terminal) {
    stdin.setRawMode(true)
    // Node's raw mode still makes CR LF of each LF (libuv, UV_TTY_MODE_RAW), as the terminal inside has done already.
    spawnSync('stty', ['-opost'], { stdio: ['inherit', 'ignore', 'ignore'] })
    process.stdout.on('resize', resize)
  }
  stdin.on('data', (chunk: Buffer) => {
    if (stream.write(frame('input', chunk))) return
    stdin.pause()
    stream.once('drain', () => stdin.resume())
  })
  stdin.on('end', () => stream.write(frame('endOfInput')))
  stdin.on('error', () => stream.write(frame('endOfInput')))
  // On a terminal Ctrl-C is a byte like others; a signal means us, and the server hangs up when we are gone.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => {
      if (start.terminal) stdin.setRawMode(false)
      process.exit(128 + constants.signals[signal])
    })
  try {
    return await listen(stream)
  } finally {
    if (start.terminal) stdin.setRawMode(false)
    process.stdout.off('resize', resize)
    stdin.destroy()
    stream.destroy()
  }
}

async function listen(stream: Duplex): Promise<number> {
  let why = 'the connection to Polebean ended, and the session with it'
  try {
    for await (const { kind, bytes } of readFrames(stream)) {
      if (kind === 'output') await write(process.stdout, bytes)
      else if (kind === 'error') await write(process.stderr, bytes)
      else if (kind === 'exit') return bytes.readUInt32BE(0)
      else if (kind === 'over') {
        why = bytes.toString()
        break
      }
    }
  } catch {
    // cut in the middle
  }
  note(`${process.stdout.isTTY ? '\r\n' : ''}polebean: ${why}`)
  return CUT
}

const write = (to: NodeJS.WriteStream, bytes: Buffer) =>
  new Promise<void>((resolve) => {
    to.write(bytes, () => resolve())
  })
