// The streams, the terminal and the hang-up of a session, with a program in runc's place that runs what it is told here.
import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock as clock } from '../../kernel/clock.ts'
import type { Session, SessionOptions } from './engine.ts'
import type { Sandboxes } from './sandbox.ts'
import { openSession } from './session.ts'

const dir = mkdtempSync(join(tmpdir(), 'pb-session-'))
const runc = join(dir, 'runc')
// --root STATE exec --process FILE --pid-file PIDS CONTAINER, as the real one; FILE is a script here.
writeFileSync(
  runc,
  '#!/bin/sh\nexec setsid --wait /bin/sh -c \'echo $$ >"$1"; exec /bin/sh "$2"\' x "$7" "$5"\n',
)
chmodSync(runc, 0o755)
after(() => rmSync(dir, { recursive: true, force: true }))

let count = 0
function open(script: string, terminal: SessionOptions['terminal'] = null, isOver = () => false): Session {
  const [file, pidFile] = [join(dir, `${++count}.sh`), join(dir, `${count}.pid`)]
  writeFileSync(file, script)
  const argv = [runc, '--root', dir, 'exec', '--process', file, '--pid-file', pidFile, 'c']
  const sandboxes = {
    sessionArgv: () => ({ argv, pidFile, files: [file, pidFile] }),
    cgroupOf: () => '/',
  } satisfies Pick<Sandboxes, 'sessionArgv' | 'cgroupOf'>
  return openSession(
    { sandboxes: sandboxes as Partial<Sandboxes> as Sandboxes, clock },
    'i-1',
    [],
    { user: 'root', env: {}, terminal },
    isOver,
  )
}

const textOf = (from: NodeJS.ReadableStream) => {
  const seen = { text: '' }
  from.on('data', (chunk) => (seen.text += String(chunk)))
  return seen
}
async function until(what: string, holds: () => boolean) {
  for (const end = performance.now() + 20_000; !holds(); await sleep(20))
    assert.ok(performance.now() < end, `not yet: ${what}`)
}
const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

describe('a session', () => {
  it('has its streams apart and its exit status', async () => {
    const session = open('cat; echo wrong >&2; exit 7')
    const [out, error] = [textOf(session.stdout), textOf(session.stderr)]
    session.stdin.end('hello')
    assert.deepEqual(await session.ended, { exit: 7, cut: false })
    assert.deepEqual([out.text, error.text], ['hello', 'wrong\n'])
  })

  it('has a terminal of the size that is asked for, and of another later', async () => {
    const session = open(
      'stty size; while [ "$(stty size)" = "31 97" ]; do sleep 0.1; done; stty size; exit 5',
      { rows: 31, columns: 97 },
    )
    const out = textOf(session.stdout)
    await until('the size', () => out.text.includes('31 97'))
    session.resize(44, 111)
    assert.equal((await session.ended).exit, 5)
    assert.match(out.text, /44 111/)
  })

  it('leaves nothing when it hangs up, but what ignores that', async () => {
    const session = open(
      `sleep 60 & echo "$!"; trap 'true' TERM; (trap '' HUP; echo nohup >&2; exec sleep 61) & echo "$!"; wait`,
    )
    const [out, error] = [textOf(session.stdout), textOf(session.stderr)]
    await until('both run', () => out.text.trim().split('\n').length === 2 && error.text !== '')
    const [ends, stays] = out.text.trim().split('\n').map(Number) as [number, number]
    await session.hangUp()
    await until('the one has ended', () => !isAlive(ends))
    assert.equal(isAlive(stays), true)
    process.kill(stays)
    assert.ok((await session.ended).exit >= 128)
  })

  it('kills what catches a hang-up and does not end by it', async () => {
    const session = open(`trap 'echo heard' HUP; echo $$; while :; do sleep 0.1; done`)
    const out = textOf(session.stdout)
    textOf(session.stderr)
    await until('it runs', () => out.text !== '')
    await session.hangUp()
    await until('it has ended', () => !isAlive(Number(out.text.split('\n')[0])))
    await session.ended
  })

  it('says that its instance ended under it', async () => {
    const session = open('kill -9 $$', null, () => true)
    textOf(session.stdout)
    textOf(session.stderr)
    assert.equal((await session.ended).cut, true)
  })
})
