// `polebean uninstall`: undoes the ledger line by line, the latest first, each undone line noted, so that it can be called
// again after whatever stopped it. Homes are not its business: it refuses while there is one.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readLedger } from './ledger.mjs'
import { findProgram, MACHINE } from './machine.mjs'
import { asRoot, confirm } from './packages.mjs'
import { planRemoval } from './removal.mjs'
import { refuseRunning } from './undo.mjs'

/** Answers what was undone and what stays, as sentences. Throws a sentence when it refuses; then nothing was changed. */
export async function uninstall({ yes, homes = [], machine = MACHINE, say }) {
  refuseHomes(machine, homes)
  const deeds = readLedger(machine.ledger)
  const claims = existsSync(machine.claims)
  if (deeds.length === 0 && !claims && !existsSync(machine.ledger)) {
    say('Setup has changed nothing on this machine, or all of it is undone already.')
    return { undone: [], kept: [] }
  }
  const packages = findProgram(machine, 'apt-get')
    ? planRemoval(machine, deeds)
    : { names: [], gone: [], kept: [], freed: '', unneeded: [] }
  const others = deeds.filter(({ deed }) => !['install packages', 'unknown'].includes(deed))
  if (packages.names.length > 0)
    say(
      `These packages go, with their configuration (${packages.freed} on disk):\n  ${packages.names.join(' ')}`,
    )
  if (others.length > 0)
    say(`These changes are undone:\n${others.map((one) => `  ${wordsOf(one)}`).join('\n')}`)
  if (!yes && !confirm(machine)) throw new Error('nothing was changed.')
  await asRoot(machine, { task: 'undo', names: packages.names, gone: packages.gone })
  const left = readLedger(machine.ledger)
  const kept = [
    ...packages.kept.map(({ name, reason }) => `the package ${name}: ${reason}`),
    ...(packages.unneeded.length > 0
      ? [
          `the packages ${packages.unneeded.join(', ')}: nothing needs them now, but it is not known who brought them (apt-get autoremove)`,
        ]
      : []),
    ...left.flatMap((one) => {
      const words = wordsOf(one)
      const explained =
        one.deed === 'install packages' &&
        one.packages.every((name) => packages.kept.some((each) => each.name === name))
      return explained ? [] : [`${words}: could not be undone`]
    }),
  ]
  return {
    undone: deeds.filter((one) => !left.some((other) => wordsOf(other) === wordsOf(one))).map(wordsOf),
    kept,
  }
}

/** What no ledger names, with the reason: it is the user's. */
export const STAYS = [
  'the folder that Polebean runs from, when it is a clone: it is yours',
  '~/.local/state/polebean and caches of npm and pip: they are yours (rm -r)',
]

/** One line of the ledger in words. */
export const wordsOf = ({ deed, line, packages, unit, path, user, group }) =>
  deed === 'unknown'
    ? `unknown line: ${line}`
    : `${deed} ${packages?.join(' ') ?? unit ?? path ?? user ?? group}`

function refuseHomes(machine, given) {
  const claimed = existsSync(machine.claims)
    ? readdirSync(machine.claims).map((name) => readFileSync(join(machine.claims, name), 'utf8'))
    : []
  const homes = [...new Set([...given, ...claimed])].filter((dir) => existsSync(join(dir, 'home.json')))
  if (homes.length > 0)
    throw new Error(
      `there ${homes.length === 1 ? 'is still a home' : 'are still homes'}; nothing was changed. First:\n` +
        homes.map((dir) => `  polebean --home ${dir} down --purge`).join('\n'),
    )
  refuseRunning(machine)
}
