// Runs test files with limits: one on each test, and one on silence, since a test that blocks its process is not ended by
// a timer inside of it, and one that ran out of time may have left something that keeps its process alive.
// Not with --test-force-exit: it ends a file's process before all of its results were told (seen with Node 26).
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { setPriority } from 'node:os'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const REPORTER = fileURLToPath(new URL('reporter.mjs', import.meta.url))

/**
 * `argv` is Node's; `atOnce` files run side by side. Prints as it goes; answers how many passed, failed, were skipped. `behind`: it
 * takes what processors others leave.
 */
export function runTests({
  argv: [node, ...argv],
  files,
  atOnce,
  testMs,
  env = {},
  silenceMs = testMs + 30_000,
  behind = false,
  print = console.log,
}) {
  const args = [
    ...argv,
    '--test',
    `--test-concurrency=${atOnce}`,
    `--test-timeout=${testMs}`,
    `--test-reporter=${REPORTER}`,
    ...files,
  ]
  // In a process group of its own: the file that hangs is a child of the child.
  const child = spawn(node, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  })
  if (behind) standBehind(child.pid)
  let silent = false
  const end = () => {
    try {
      process.kill(-child.pid, 'SIGKILL')
    } catch {
      // it has ended; something in a session of its own holds its output open
    }
    child.stdout.destroy()
  }
  // The files that run now are ended with all that they started; Node then counts them as failed, and goes on.
  const giveUp = () => {
    print(`\n   no test ended within ${silenceMs / 1000} s: the file is ended\n`)
    const stuck = descendants(child.pid)
    silent = stuck.length === 0
    if (silent) return end()
    for (const pid of stuck) kill(pid)
    timer = setTimeout(giveUp, silenceMs)
  }
  let timer = setTimeout(giveUp, silenceMs)
  // Not in the terminal's group any more, so it is told.
  const interrupted = (signal) => {
    end()
    process.kill(process.pid, signal)
  }
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, interrupted)

  let counts = []
  createInterface({ input: child.stdout }).on('line', (line) => {
    clearTimeout(timer)
    timer = setTimeout(giveUp, silenceMs)
    const [, ...numbers] = /^SUMMARY (\d+) (\d+) (\d+)$/.exec(line) ?? []
    if (numbers.length > 0) counts = numbers.map(Number)
    else if (line !== 'PASSED') print(line)
  })
  return new Promise((resolve) =>
    child.on('close', (status) => {
      clearTimeout(timer)
      for (const signal of ['SIGINT', 'SIGTERM']) process.off(signal, interrupted)
      const [passed = 0, failed = 0, skipped = 0] = counts
      // Something failed that the reporter did not see: the runner itself, or it was silent.
      const unseen = silent || counts.length === 0 || (status !== 0 && failed === 0) ? 1 : 0
      resolve({ passed, failed: failed + unseen, skipped })
    }),
  )
}

/** The kernel shares processors among sessions before it looks at processes (sched(7), autogroup): both are told. */
function standBehind(pid) {
  setPriority(pid, LAST)
  try {
    writeFileSync(`/proc/${pid}/autogroup`, String(LAST))
  } catch {
    // a kernel that does not group, or who may not say so
  }
}
const LAST = 15

/** Children of a process, their children, and so on. */
function descendants(pid) {
  const parents = readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map((entry) => ({ pid: Number(entry), parent: parentOf(entry) }))
  const of = (one) =>
    parents.filter(({ parent }) => parent === one).flatMap((each) => [each.pid, ...of(each.pid)])
  return of(pid)
}

function parentOf(entry) {
  try {
    const stat = readFileSync(`/proc/${entry}/stat`, 'utf8')
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
  } catch {
    return 0 // it has ended meanwhile
  }
}

function kill(pid) {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // it has ended meanwhile
  }
}
