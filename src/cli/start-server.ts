// Makes sure that the server of a home answers: only the server is root; a normal user is asked for sudo once.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { readHome } from '../home.ts'
import { serverEnvironment } from './caller.ts'
import { openApi, type Api } from './client.ts'
import { Failure } from './failure.ts'
import { note } from './output.ts'

const ENTRY = fileURLToPath(new URL('main.ts', import.meta.url))
const ANSWER_TIMEOUT_MS = 5_000

/** Answers the API of the home, starting the server (under its supervisor) when it does not answer. */
export async function ensureServer(homeDir: string): Promise<Api> {
  if (!(await answers(homeDir))) {
    note(`Starting Polebean (home ${homeDir}) …`)
    // It waits until the server answers, since only root can read the log that says why it does not.
    asRoot(['start', '--home', homeDir, '--caller'], JSON.stringify(serverEnvironment(process.env)))
  }
  return openApi(homeDir)
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

/** Runs one of our own commands as root, with sudo when we are not; its output is the user's. `input` is all it reads. */
export function asRoot(args: string[], input?: string): void {
  const command = [process.execPath, '--disable-warning=ExperimentalWarning', ENTRY, ...args]
  const [file = '', ...rest] = process.getuid!() === 0 ? command : ['sudo', ...command]
  const stdin = input === undefined ? 'inherit' : 'pipe'
  const result = spawnSync(file, rest, { stdio: [stdin, 2, 2], ...(input === undefined ? {} : { input }) })
  if (result.error) throw new Failure(`this needs root, and sudo cannot be run: ${result.error.message}`)
  if (result.status !== 0) throw new Failure(`${args[0]} failed (exit ${result.status}); the reason is above`)
}
