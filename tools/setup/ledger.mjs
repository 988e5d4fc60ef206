// The ledger: one line a change that Polebean made to this machine outside of its homes, written before the change. A later
// line with the opposite deed takes it back. What stands is what `uninstall` undoes, in reverse.
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** Deed → the one that takes it back, and what tells one thing from another. */
export const DEEDS = {
  'install packages': { undo: 'remove packages', by: 'packages' },
  'make user': { undo: 'remove user', by: 'user' },
  'make group': { undo: 'remove group', by: 'group' },
  'mask unit': { undo: 'unmask unit', by: 'unit' },
  'enable unit': { undo: 'disable unit', by: 'unit' },
  'write file': { undo: 'remove file', by: 'path' },
  'make folder': { undo: 'remove folder', by: 'path' },
  'make link': { undo: 'remove link', by: 'path' },
  'set sysctl': { undo: 'restore sysctl', by: 'path' },
}

/** Adds a line. */
export function note(ledger, entry) {
  mkdirSync(dirname(ledger), { recursive: true })
  // A line that a crash has cut short must not spoil the next one.
  const whole = !existsSync(ledger) || /(^|\n)$/.test(readFileSync(ledger, 'utf8'))
  const line = JSON.stringify({ at: new Date().toISOString(), ...entry })
  appendFileSync(ledger, `${whole ? '' : '\n'}${line}\n`)
}

/**
 * Pure: the deeds that stand, the latest first, each once. Of packages only those that are not taken back one by one. What
 * cannot be read or is not known is `{ deed: 'unknown', line }`: of a newer Polebean, or cut short by a crash.
 */
export function standing(text) {
  const deeds = []
  for (const line of text.split('\n').filter((one) => one.trim() !== '')) {
    const entry = parse(line)
    const undone = Object.entries(DEEDS).find(([, { undo }]) => undo === entry?.deed)
    if (undone) takeBack(deeds, undone[0], entry)
    else if (!isKnown(entry)) deeds.push({ deed: 'unknown', line })
    // Twice is once: the first knows what was there before.
    else if (!deeds.some((one) => same(one, entry))) deeds.push(entry)
  }
  // Users are known only after the packages that made them, and go after these as well.
  const late = ({ deed }) => (deed === 'make user' ? 1 : deed === 'make group' ? 2 : 0)
  return deeds.reverse().sort((one, other) => late(one) - late(other))
}

export const readLedger = (ledger) => (existsSync(ledger) ? standing(readFileSync(ledger, 'utf8')) : [])

function takeBack(deeds, deed, entry) {
  const { by } = DEEDS[deed]
  for (const one of deeds.filter((each) => each.deed === deed)) {
    if (by === 'packages') one.packages = one.packages.filter((name) => !entry.packages?.includes(name))
    if (by === 'packages' ? one.packages.length === 0 : one[by] === entry[by])
      deeds.splice(deeds.indexOf(one), 1)
  }
}

function isKnown(entry) {
  const value = entry && DEEDS[entry.deed] && entry[DEEDS[entry.deed].by]
  return Array.isArray(value) ? value.every((one) => typeof one === 'string') : typeof value === 'string'
}

const same = (one, other) =>
  one.deed === other.deed &&
  JSON.stringify(one[DEEDS[one.deed].by]) === JSON.stringify(other[DEEDS[one.deed].by])

function parse(line) {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
