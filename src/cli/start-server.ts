// Makes sure that the server of a home answers: only the server is root; a normal user is asked for sudo once.
import { spawnSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { readHome } from '../home.ts'
import { readFileIfAny } from '../kernel/files.ts'
import { openApi, type Api } from './client.ts'
import { Failure } from './failure.ts'
import { note } from './output.ts'

const ENTRY = fileURLToPath(new URL('main.ts', import.meta.url))
const START_TIMEOUT_MS = 60_000
const ANSWER_TIMEOUT_MS = 5_000

/** Answers the API of the home, starting the server (under its supervisor) when it does not answer. */
export async function ensureServer(homeDir: string): Promise<Api> {
  if (!(await answers(homeDir))) {
    note(`Starting Polebean (home ${homeDir}) …`)
    asRoot(['start', '--home', homeDir])
    const from = Date.now()
    while (!(await answers(homeDir))) {
      const complaint = repeated(homeDir, from)
      if (complaint) throw new Failure(`Polebean does not start: ${complaint}`)
      if (Date.now() > from + START_TIMEOUT_MS)
        throw new Failure(
          `Polebean did not start within ${START_TIMEOUT_MS / 1000} seconds; its log: ${homeDir}/log/server/current`,
        )
      await sleep(100)
    }
  }
  return openApi(homeDir)
}

const COMPLAINTS = 3

/** What the server said each time it was started since `from`; undefined while it may still come. */
function repeated(homeDir: string, from: number): string | undefined {
  let log: string | undefined
  try {
    log = readFileIfAny(`${homeDir}/log/server/current`)
  } catch {
    return undefined // not ours to read
  }
  // svlogd's stamp: 2026-11-24_00:21:07.40350
  const said = [...(log ?? '').matchAll(/^(\S{10})_(\S{12})\d* polebean: (.*)$/gm)]
    .filter(([, day, time]) => Date.parse(`${day}T${time}Z`) >= from)
    .map(([, , , text]) => text)
  return said.length >= COMPLAINTS ? said.at(-1) : undefined
}

/** Whether the server of this very home answers on its port. */
export async function answers(homeDir: string): Promise<boolean> {
  const home = readHome(homeDir)
  if (!home) return false
  // Somebody else may sit on the port and never say a word.
  const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS)
  const said = await fetch(`http://127.0.0.1:${home.ports.api}/healthz`, { signal }).then(
    (reply) => reply.text(),
    () => '',
  )
  return said.trim() === home.id
}

/** Runs one of our own commands as root, with sudo when we are not; its output is the user's. */
export function asRoot(args: string[]): void {
  const command = [process.execPath, '--disable-warning=ExperimentalWarning', ENTRY, ...args]
  const [file = '', ...rest] = process.getuid!() === 0 ? command : ['sudo', ...command]
  const result = spawnSync(file, rest, { stdio: ['inherit', 2, 2] })
  if (result.error) throw new Failure(`this needs root, and sudo cannot be run: ${result.error.message}`)
  if (result.status !== 0) throw new Failure(`${args[0]} failed (exit ${result.status}); the reason is above`)
}
