// Runs test files with limits: one on each test, and one on silence, since a test that blocks its process is not ended by
// a timer inside of it.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const REPORTER = fileURLToPath(new URL('reporter.mjs', import.meta.url))

/** `argv` is Node's; `atOnce` files run side by side. Prints as it goes; answers how many passed, failed, were skipped. */
export function runTests({
  argv: [node, ...argv],
  files,
  atOnce,
  testMs,
  env = {},
  silenceMs = testMs * 1.5,
}) {
  const args = [
    ...argv,
    '--test',
    `--test-concurrency=${atOnce}`,
    `--test-timeout=${testMs}`,
    // A test that ran out of time may have left something that keeps its process alive.
    '--test-force-exit',
    `--test-reporter=${REPORTER}`,
    ...files,
  ]
  // In a process group of its own: the file that hangs is a child of the child.
  const child = spawn(node, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  })
  let silent = false
  const end = () => {
    try {
      process.kill(-child.pid, 'SIGKILL')
    } catch {
      // it has ended; something in a session of its own holds its output open
    }
    child.stdout.destroy()
  }
  const giveUp = () => {
    silent = true
    console.log(
      `\n   FAILED: no test ended within ${silenceMs / 1000} s; the rest of these files is not run\n`,
    )
    end()
  }
  let timer = setTimeout(giveUp, silenceMs)
  // Not in the terminal's group any more, so it is told.
  const interrupted = (signal) => {
    end()
    process.kill(process.pid, signal)
  }
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, interrupted)

  let stdout = ''
  child.stdout.setEncoding('utf8')
  child.stdout.on('data', (text) => {
    clearTimeout(timer)
    timer = setTimeout(giveUp, silenceMs)
    stdout += text
    process.stdout.write(text.replace(/^SUMMARY .*\n/m, ''))
  })
  return new Promise((resolve) =>
    child.on('close', (status) => {
      clearTimeout(timer)
      for (const signal of ['SIGINT', 'SIGTERM']) process.off(signal, interrupted)
      const [, ...counts] = (/^SUMMARY (\d+) (\d+) (\d+)$/m.exec(stdout) ?? []).map(Number)
      const [passed = 0, failed = 0, skipped = 0] = counts
      // Something failed that the reporter did not see: the runner itself, or it was silent.
      const unseen = silent || counts.length === 0 || (status !== 0 && failed === 0) ? 1 : 0
      resolve({ passed, failed: failed + unseen, skipped })
    }),
  )
}
