// The part of uninstall that is root. Each deed is undone, then noted: a crash between the two undoes it once more, which
// changes nothing.
import {
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { DEEDS, note, readLedger } from './ledger.mjs'
import { TRACES } from './machine.mjs'

/**
 * Throws a sentence when something of a home is there that no claim names. Only root can look; for others the part that is
 * root asks again, before it undoes anything.
 */
export function refuseRunning(machine) {
  let names = []
  try {
    names = readdirSync(machine.run)
  } catch (error) {
    if (!['ENOENT', 'EACCES'].includes(error.code)) throw error
  }
  const running = names.filter((name) => /^[a-z0-9]{6}$/.test(name))
  if (running.length > 0)
    throw new Error(
      `something of a home whose folder is gone is still there (${running.join(', ')}); nothing was changed. First: polebean down --orphans`,
    )
}

/**
 * Undoes every standing deed of the machine's ledger, the latest first; of packages `names` are purged, `gone` are only
 * noted. Says what it cannot undo and goes on. Removes the ledger when nothing stands any more, and claims of homes that are
 * gone. `run` runs a program or throws; `systemctl` answers whether it could.
 */
export async function undoAll(machine, { names, gone, run, systemctl }) {
  const purge = async () => {
    // All at once, with what came along: the order of lines means nothing to apt-get.
    const all = names
    names = []
    if (all.length > 0) await run(['apt-get', 'purge', '-y', '-qq', ...all])
    return all
  }
  let purged = []
  const must = (ok, said) => {
    if (!ok) throw new Error(said)
  }
  const removeName = async (kind, name) => {
    if (!usersOn(machine)[kind].includes(name)) return
    // Whose they are is not told apart, so all stay while one of the packages does.
    const packages = readLedger(machine.ledger).some(({ deed }) => deed === 'install packages')
    must(!packages, 'a package that was installed with it is still there')
    must(/^[a-z_][\w-]*$/.test(name), 'it is no name')
    await run([`${kind}del`, name])
  }
  const undo = {
    async 'install packages'({ packages }) {
      purged = [...purged, ...(await purge())]
      const mine = packages.filter((name) => purged.includes(name) || gone.includes(name))
      if (mine.length > 0) note(machine.ledger, { deed: 'remove packages', packages: mine })
      for (const trace of mine.flatMap((name) => TRACES[name] ?? [])) removeTrace(trace)
    },
    'make user': ({ user }) => removeName('user', user),
    'make group': ({ group }) => removeName('group', group),
    'mask unit': ({ unit }) =>
      must(!existsSync(machine.systemd) || systemctl('unmask', '--quiet', unit), 'systemctl unmask failed'),
    'enable unit'({ unit }) {
      // A unit whose file is gone cannot be disabled, and is not enabled.
      if (existsSync(machine.systemd) && systemctl('cat', unit))
        must(systemctl('disable', '--quiet', '--now', unit), 'systemctl disable failed')
    },
    'write file'({ path }) {
      const stat = lstatSync(checked(path), { throwIfNoEntry: false })
      must(!stat?.isDirectory(), 'it is a folder')
      rmSync(path, { force: true })
    },
    'make folder'({ path }) {
      must(mayRemoveFolder(path, machine.ours), 'it is none of the places of Polebean')
      rmSync(path, { recursive: true, force: true })
    },
    'make link'({ path, to }) {
      const stat = lstatSync(checked(path), { throwIfNoEntry: false })
      if (!stat) return
      must(
        stat.isSymbolicLink() && (to === undefined || readlinkSync(path) === to),
        'it leads elsewhere by now',
      )
      rmSync(path)
    },
    'set sysctl'({ path, before }) {
      must(
        normalize(path).startsWith('/proc/sys/') && typeof before === 'string',
        'it is no setting of the kernel',
      )
      if (existsSync(path)) writeFileSync(path, before)
    },
  }
  for (const deed of readLedger(machine.ledger))
    try {
      if (!undo[deed.deed]) continue
      await undo[deed.deed](deed)
      const { undo: opposite, by } = DEEDS[deed.deed]
      if (by !== 'packages') note(machine.ledger, { deed: opposite, [by]: deed[by] })
    } catch (error) {
      process.stderr.write(
        `polebean: cannot undo "${deed.deed} ${deed.unit ?? deed.path ?? deed.user ?? deed.group ?? ''}": ${error.message}\n`,
      )
    }
  if (existsSync(machine.systemd)) systemctl('daemon-reload')
  forgetClaims(machine.claims)
  removeIfEmpty(machine.run)
  if (readLedger(machine.ledger).length > 0) return
  rmSync(machine.ledger, { force: true })
  removeIfEmpty(dirname(machine.ledger))
}

/**
 * Pure: whether `uninstall` may remove the folder `path` with all that is in it: only Polebean's own places, and only by
 * their full names. A ledger is root's, but a wrong line in it must not cost a system.
 */
export const mayRemoveFolder = (path, ours) =>
  isFullPath(path) && ours.some((place) => path === place || path.startsWith(`${place}/`))

/** Pure: a name without `..`, `//` and the like, of something that is not at the top of the file system. */
export const isFullPath = (path) =>
  typeof path === 'string' && path === normalize(path) && /^(\/[^/]+){2,}$/.test(path)

function checked(path) {
  if (!isFullPath(path)) throw new Error('it is no full path')
  return path
}

/** Names of users and groups of the machine itself. */
export const usersOn = ({ users }) =>
  Object.fromEntries(
    ['user', 'group'].map((kind) => {
      const text = users && existsSync(users[kind]) ? readFileSync(users[kind], 'utf8') : ''
      return [kind, text.split('\n').flatMap((line) => line.split(':')[0] || [])]
    }),
  )

/** A link that a purged package forgot, and its folder when nothing else is in it. */
function removeTrace(link) {
  if (!lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink()) return
  rmSync(link)
  removeIfEmpty(dirname(link))
}

/** No home is there (uninstall looked), so nobody has these ports. */
function forgetClaims(claims) {
  if (!existsSync(claims)) return
  for (const name of readdirSync(claims))
    if (!existsSync(join(readFileSync(join(claims, name), 'utf8'), 'home.json'))) rmSync(join(claims, name))
  removeIfEmpty(claims)
}

function removeIfEmpty(folder) {
  try {
    rmdirSync(folder)
  } catch {
    // not empty, or not there
  }
}
