// `top`: how environments and instances fare, as it changes. One signed request for each screen.
import type { Top } from '../../services/elasticbeanstalk/top.ts'
import { systemClock } from '../../kernel/clock.ts'
import { EXIT, Failure, Unreachable } from '../failure.ts'
import { readTop } from '../instances.ts'
import { paint, print, printJson } from '../output.ts'
import { openApiHere } from '../remote-api.ts'
import { renderTop, scrollMax, type View } from '../top/screen.ts'
import { openTerminal, type Key } from '../top/terminal.ts'

type Options = { json?: boolean; once?: boolean; interval: string }

/** How wide what is not for a terminal may be. */
const PIPE_COLUMNS = 160
const INTERVAL_SECONDS = { least: 0.5, most: 3600 }

export async function top(homeDir: string, named: string | undefined, options: Options): Promise<void> {
  const interval = Number(options.interval)
  if (!(interval >= INTERVAL_SECONDS.least && interval <= INTERVAL_SECONDS.most))
    throw new Failure(
      `--interval takes seconds, ${INTERVAL_SECONDS.least} to ${INTERVAL_SECONDS.most}, not '${options.interval}'`,
      EXIT.usage,
    )
  const api = openApiHere(homeDir)
  const read = async () => {
    const seen = await readTop(api, named)
    if (named === undefined || seen.environments.length > 0) return seen
    throw new Failure(`No Environment found for EnvironmentName = '${named}'.`, EXIT.operationFailed)
  }
  const first = await read()
  if (options.json) return printJson(first)
  if (!options.once && process.stdout.isTTY) return live(first, read, interval * 1000)
  const columns = process.stdout.columns || PIPE_COLUMNS
  const size = { columns, rows: Number.MAX_SAFE_INTEGER }
  const view: View = { size, paint, scrolled: 0, aside: timeOf(first), trouble: '' }
  for (const line of renderTop(first, view)) print(line)
}

async function live(first: Top, read: () => Promise<Top>, everyMs: number): Promise<void> {
  const terminal = openTerminal(process.stdin, process.stdout)
  let [shown, scrolled, trouble] = [first, 0, '']
  const viewNow = (): View => ({
    ...{ size: terminal.size(), paint, scrolled, trouble },
    aside: `${timeOf(shown)}  every ${everyMs / 1000} s  q quits`,
  })
  const draw = () => terminal.draw(renderTop(shown, viewNow()))
  terminal.onChange((key) => {
    if (key !== 'size')
      scrolled = scrolledBy(key, scrolled, terminal.size().rows, scrollMax(shown, viewNow()))
    draw()
  })
  try {
    while (!terminal.ended.aborted) {
      draw()
      // It rejects when a key ends it, which the loop's condition sees.
      await systemClock.sleep(everyMs, terminal.ended).catch(() => undefined)
      if (terminal.ended.aborted) break
      try {
        shown = await read()
        trouble = ''
      } catch (error) {
        // The server restarts, or is upgraded: what was seen last stays.
        if (!(error instanceof Unreachable)) throw error
        trouble = error.message
      }
    }
  } finally {
    terminal.close()
  }
}

/** Never so far that nothing is seen. */
function scrolledBy(key: Key, from: number, rows: number, lines: number): number {
  const page = Math.max(1, rows - 4)
  const by = { up: -1, down: 1, 'page up': -page, 'page down': page, home: -from, other: 0 }[key]
  return Math.min(Math.max(0, from + by), Math.max(0, lines - page))
}

const timeOf = ({ at }: Top) => new Date(at).toTimeString().slice(0, 8)
