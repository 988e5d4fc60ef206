// A session of a fake instance: `cat` says what it is told, until its input or its instance ends; `sleep` lasts until it is
// ended; all else ends at once.
import { PassThrough } from 'node:stream'
import type { Clock } from '../../kernel/clock.ts'
import type { Session } from './engine.ts'

const LOOK_MS = 100
const HUNG_UP = 129
const KILLED = 137

export function openFakeSession(argv: string[], clock: Clock, isOver: () => boolean): Session {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()]
  const end = Promise.withResolvers<{ exit: number; cut: boolean }>()
  let over = false
  const finish = (exit: number, cut = false) => {
    if (over) return
    over = true
    stdout.end()
    stderr.end()
    end.resolve({ exit, cut })
  }
  if (argv[0] === 'cat' || argv[0] === 'sleep') {
    if (argv[0] === 'cat') stdin.on('data', (chunk) => stdout.write(chunk)).on('end', () => finish(0))
    void watch()
  } else finish(argv[0] === 'false' ? 1 : 0)
  async function watch() {
    while (!over && !isOver()) await clock.sleep(LOOK_MS)
    finish(KILLED, true)
  }
  return {
    ...{ stdin, stdout, stderr, ended: end.promise },
    resize: () => undefined,
    async hangUp() {
      stdin.destroy()
      finish(HUNG_UP)
    },
  }
}
