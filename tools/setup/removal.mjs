// Which packages go: those that setup brought and that nothing else needs, asked of apt-get's own simulation. Nothing is
// changed here.
import { spawnSync } from 'node:child_process'
import { environmentOn, UNITS } from './machine.mjs'

/**
 * `deeds`: the standing ones. Answers what apt-get is to purge (`names`), what it said it would do (`freed`), and what stays
 * with the reason. Throws a sentence when apt-get cannot say.
 */
export function planRemoval(machine, deeds) {
  const lines = deeds.filter(({ deed }) => deed === 'install packages')
  const brought = new Set(lines.flatMap(({ packages, brought: more = [] }) => [...packages, ...more]))
  const asked = [...new Set(lines.flatMap(({ packages }) => packages))]
  const there = asked.filter((name) => isThere(machine, name))
  const kept = []
  let names = there.filter((name) => {
    const reason = whyInUse(machine, deeds, name)
    if (reason) kept.push({ name, reason })
    return !reason
  })
  for (;;) {
    const others = removedBy(machine, names).filter((name) => !brought.has(name))
    if (others.length === 0) break
    const needed = names.flatMap((name) => {
      const needing = removedBy(machine, [name]).filter((one) => !brought.has(one))
      return needing.length > 0 ? [{ name, reason: `${needing.join(', ')} of this machine needs it` }] : []
    })
    // None alone, so all together.
    kept.push(
      ...(needed.length > 0
        ? needed
        : names.map((name) => ({ name, reason: `${others.join(', ')} of this machine needs it` }))),
    )
    names = names.filter((name) => !kept.some((one) => one.name === name))
  }
  const withOthers = removedBy(machine, names, ['--autoremove'])
  const came = withOthers.filter((name) => brought.has(name) && !names.includes(name))
  const all = [...names, ...came]
  return {
    names: all,
    gone: asked.filter((name) => !there.includes(name)),
    kept,
    freed: all.length === 0 ? '' : freedBy(machine, all),
    /** Not needed any more either, but it is not known that setup brought them. */
    unneeded: withOthers.filter((name) => !all.includes(name)),
  }
}

/** The lock is root's alone; a question changes nothing. */
const UNLOCKED = ['-o', 'Debug::NoLocking=1']

const ask = (machine, argv) => {
  const [file, ...args] = argv
  return spawnSync(file, args, { encoding: 'utf8', env: environmentOn(machine) })
}

/** Also one of which only its configuration is there. */
const isThere = (machine, name) =>
  /^[ir][ci] /.test(
    ask(machine, ['dpkg-query', '--show', '--showformat=${db:Status-Abbrev} ', name]).stdout ?? '',
  )

function removedBy(machine, names, options = []) {
  if (names.length === 0) return []
  const said = ask(machine, ['apt-get', 'purge', ...UNLOCKED, '--simulate', ...options, ...names])
  if (said.status !== 0)
    throw new Error(
      `apt-get cannot say what it would remove; nothing was changed. See: apt-get purge --simulate ${names.join(' ')}`,
    )
  return [...said.stdout.matchAll(/^(?:Purg|Remv) (\S+)/gm)].map(([, name]) => name)
}

function freedBy(machine, names) {
  const said = ask(machine, ['apt-get', 'purge', ...UNLOCKED, '--assume-no', ...names]).stdout ?? ''
  return /After this operation, (\S+ \S+) disk space will be freed/.exec(said)?.[1] ?? 'little'
}

function whyInUse(machine, deeds, name) {
  const unit = UNITS[name]?.unit
  const masked = deeds.some((one) => one.deed === 'mask unit' && one.unit === unit)
  if (unit && masked && ask(machine, ['systemctl', 'is-enabled', unit]).stdout?.trim() !== 'masked')
    return `${unit} is not masked any more, so somebody uses it`
  const changed = ask(machine, ['dpkg', '--verify', name]).stdout ?? ''
  const [, file] = /^..5\S*\s+c\s+(\S+)/m.exec(changed) ?? []
  return file && `${file} was changed since, so somebody uses it`
}
