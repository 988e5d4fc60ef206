// Debian's own switch (invoke-rc.d): while policy-rc.d exits 101, no package script starts a service. Ours carries our
// name and process, so that one left by a setup that was killed is known as ours and removed.
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'

const MARK = '# Written by the setup of Polebean while it installs packages; process '

/** Writes it unless the machine has one of its own. Answers whether it is ours to remove. */
export function forbidServices(path) {
  if (existsSync(path)) return false
  const own = `${process.pid} ${birthOf(process.pid)}`
  writeFileSync(path, `#!/bin/sh\n${MARK}${own}\nexit 101\n`, { mode: 0o755, flag: 'wx' })
  return true
}

/** Is there one of ours whose setup is no more? */
export function isStalePolicy(path) {
  const text = existsSync(path) ? readFileSync(path, 'utf8') : ''
  if (!text.includes(MARK)) return false
  const [pid, ...birth] = text
    .slice(text.indexOf(MARK) + MARK.length)
    .split('\n')[0]
    .split(' ')
  return birthOf(pid) !== birth.join(' ')
}

// A pid alone may be somebody else's by now, after a reboot at the latest.
function birthOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    return `${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]} ${boot}`
  } catch {
    return '' // no such process
  }
}

export const allowServices = (path) => rmSync(path, { force: true })
