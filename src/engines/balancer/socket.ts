// HAProxy's runtime API: one connection a question, answered until HAProxy closes it (management.txt §9.3).
import { createConnection } from 'node:net'
import { EngineError } from '../../kernel/errors.ts'
import { makeTurns } from '../../kernel/turns.ts'

/** At one socket: HAProxy takes ten, and one more is refused at once. Others may ask as well. */
const AT_ONCE = 4
const inTurn = makeTurns()
let asked = 0

/** Sends one line (commands joined by `;` run one after the other) and answers what HAProxy says; rejects when it is away. */
export const ask = (path: string, line: string, timeoutMs?: number): Promise<string> =>
  inTurn(`${path} ${asked++ % AT_ONCE}`, () => askNow(path, line, timeoutMs))

function askNow(path: string, line: string, timeoutMs = 5_000): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ path })
    let answer = ''
    const fail = (why: string, cause?: Error) => {
      socket.destroy()
      reject(new EngineError(`HAProxy's socket: ${why}`, { cause }))
    }
    socket.setTimeout(timeoutMs, () => fail(`no answer within ${timeoutMs} ms`))
    socket.on('error', (cause) => fail(cause.message, cause))
    socket.setEncoding('utf8')
    socket.on('data', (chunk) => (answer += String(chunk)))
    socket.on('end', () => resolve(answer))
    socket.end(`${line}\n`)
  })
}

/** Like `ask`, for commands that say nothing when they succeed, or only one of `quiet`. */
export async function tell(path: string, line: string, quiet: RegExp = /^$/): Promise<void> {
  const said = (await ask(path, line)).trim()
  const wrong = said.split('\n').filter((one) => one.trim() !== '' && !quiet.test(one.trim()))
  if (wrong.length > 0)
    throw new EngineError(`HAProxy, asked to ${line.split('\n')[0]}: ${wrong.join(' | ')}`)
}

/** A word of a command line: blanks, backslashes and semicolons would end it. */
export function word(text: string): string {
  if (/[\r\n\0]/.test(text)) throw new EngineError('a word of a command holds a line break')
  return text.replaceAll(/[\\; ]/g, String.raw`\$&`)
}
