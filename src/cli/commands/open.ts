// `open`: the environment's URL in the user's browser.
import { spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { openApi } from '../client.ts'
import { chooseEnvironment } from '../environments.ts'
import { EXIT } from '../failure.ts'
import { note, print, printJson } from '../output.ts'

/** By then xdg-open has failed, or it has become the browser. */
const FAILS_WITHIN_MS = 3_000

/** Prints the URL in any case; the exit status is 1 when no browser could be opened. */
export async function open(
  homeDir: string,
  named: string | undefined,
  { json }: { json?: boolean },
): Promise<number> {
  const { url } = await chooseEnvironment(openApi(homeDir), named)
  const problem = await browse(url)
  if (problem) note(`polebean: no browser could be opened (${problem}); the address is:`)
  if (json) printJson({ url, opened: problem === undefined })
  else print(url)
  return problem ? EXIT.failed : EXIT.ok
}

/** Undefined when a browser shows it, or may still come to that. */
async function browse(url: string): Promise<string | undefined> {
  // Not our child to wait for, nor to end with our terminal.
  const child = spawn('xdg-open', [url], { stdio: 'ignore', detached: true })
  const ended = new Promise<string | undefined>((resolve) => {
    child.on('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code === 'ENOENT' ? 'there is no xdg-open here' : error.message),
    )
    child.on('exit', (status) => resolve(status === 0 ? undefined : `xdg-open: exit ${status}`))
  })
  const problem = await Promise.race([ended, sleep(FAILS_WITHIN_MS, undefined, { ref: false })])
  child.unref()
  return problem
}
