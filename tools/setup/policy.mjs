// Debian's own switch (invoke-rc.d): while policy-rc.d exits 101, no package script starts a service. Ours carries our
// name and process, so that one left by a setup that was killed is known as ours and removed.
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'

const MARK = '# Written by the setup of Polebean while it installs packages; process '

/** Writes it unless the machine has one of its own. Answers whether it is ours to remove. */
export function forbidServices(path) {
  if (existsSync(path)) return false
  writeFileSync(path, `#!/bin/sh\n${MARK}${process.pid}\nexit 101\n`, { mode: 0o755, flag: 'wx' })
  return true
}

/** Is there one of ours whose setup is no more? */
export function isStalePolicy(path) {
  const text = existsSync(path) ? readFileSync(path, 'utf8') : ''
  const pid = text.includes(MARK) ? Number.parseInt(text.slice(text.indexOf(MARK) + MARK.length)) : undefined
  return pid !== undefined && !existsSync(`/proc/${pid}`)
}

export const allowServices = (path) => rmSync(path, { force: true })
