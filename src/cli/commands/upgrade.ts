// `upgrade [RELEASE]`: the next release beside this one, the databases copied, the link switched, the servers on the new code.
// Engines and instances carry on meanwhile. Whatever goes wrong, it goes back by itself. `--rollback` is the way back
// later: the copies take the place of what was done since.
import { createServer } from 'node:net'
import { join } from 'node:path'
import { homesHere } from '../../home-ports.ts'
import { reasonOf } from '../../kernel/errors.ts'
import { EXIT, Failure } from '../failure.ts'
import { note } from '../output.ts'
import { readRelease } from '../release.ts'
import { asRoot } from '../start-server.ts'
import {
  checkRoom,
  copiedVersion,
  copyDatabase,
  removeCopy,
  removeOlderCopies,
  restoreDatabase,
} from '../upgrade/database-copy.ts'
import { findInstallation, pointTo, removeOtherReleases, type Installation } from '../upgrade/installation.ts'
import { foldersInUse, runningServers, startServerOf, stopServer, type Server } from '../upgrade/servers.ts'
import { findRelease, sourceOf } from '../upgrade/source.ts'
import { unpackRelease, type Unpacked } from '../upgrade/unpack.ts'
import { confirmName } from './change.ts'

export async function upgrade(
  homeDir: string,
  release: string | undefined,
  { rollback, force }: { rollback?: boolean; force?: boolean },
): Promise<void> {
  if (release !== undefined && rollback)
    throw new Failure('--rollback goes to the version before; it takes no release', EXIT.usage)
  const installation = findInstallation()
  if (process.getuid!() !== 0) {
    const options = [...(rollback ? ['--rollback'] : []), ...(force ? ['--force'] : [])]
    return asRoot([
      'upgrade',
      '--home',
      homeDir,
      ...options,
      ...(release === undefined ? [] : ['--', release]),
    ])
  }
  process.umask(0o022)
  await alone(installation.prefix)
  if (rollback) return goBack(installation, force === true)
  const found = await findRelease(sourceOf(homeDir), installation.current.version, release)
  if ('upToDate' in found) note(found.upToDate)
  else await goForward(installation, found.source)
}

/** A name that the kernel forgets with us, so that two at once do not switch the same link. */
function alone(prefix: string): Promise<void> {
  return new Promise((resolve, reject) => {
    createServer()
      .once('error', () => reject(new Failure(`another upgrade of ${prefix} is under way`)))
      .listen(`\0polebean-upgrade:${prefix}`, resolve)
      .unref()
  })
}

async function goForward(installation: Installation, source: string): Promise<void> {
  const { prefix, current } = installation
  const servers = await serversOf(prefix)
  for (const { home } of servers) checkRoom(home.dir)
  const next = await unpackRelease(installation, source)
  const from = current.version
  const to = next.release.version
  note(`Upgrading ${from} to ${to} …`)
  await undisturbed(() => switchOver(installation, servers, next))
  for (const { home } of servers) removeOlderCopies(home.dir, to)
  tidy(prefix, [from, to])
  note(`Polebean is ${to} now${namesOf(servers)}. To go back: polebean upgrade --rollback`)
}

/** What runs now is not worse for a folder that cannot be deleted. */
function tidy(prefix: string, kept: string[]): void {
  try {
    // Somebody may still look at logs with an older one: it goes with the next upgrade.
    const removed = removeOtherReleases(prefix, [...kept, ...foldersInUse(prefix)])
    if (removed.length > 0) note(`Deleted ${removed.join(', ')}, which nothing goes back to any more.`)
  } catch (error) {
    note(`polebean: not all older releases could be deleted: ${reasonOf(error)}`)
  }
}

async function switchOver(
  { prefix, current }: Installation,
  servers: Server[],
  next: Unpacked,
): Promise<void> {
  const from = current.version
  const to = next.release.version
  const touched: Server[] = []
  try {
    for (const server of servers) {
      touched.push(server)
      removeCopy(server.home.dir, to) // of an attempt that failed: it must not be taken for this one's
      await stopServer(server)
      await copyDatabase(server.home.dir, from, to)
    }
    pointTo(prefix, 'current', to)
    for (const server of servers) await startServerOf(server, next.dir)
    pointTo(prefix, 'previous', from)
  } catch (error) {
    note(`polebean: ${reasonOf(error)}\nGoing back to ${from} …`)
    const problems = await undo(prefix, touched, from, to)
    if (problems.length > 0)
      throw new Failure(`the upgrade failed, and not all of it could be undone:\n  ${problems.join('\n  ')}`)
    next.remove()
    throw new Failure(`the upgrade failed; everything is as it was, on ${from}`)
  }
}

/** Each step by itself: one home that cannot be helped does not keep the others from it. */
async function undo(prefix: string, touched: Server[], from: string, to: string): Promise<string[]> {
  const problems: string[] = []
  const attempt = async (what: string, deed: () => unknown) => {
    try {
      await deed()
      return true
    } catch (error) {
      problems.push(`${what}: ${reasonOf(error)}`)
      return false
    }
  }
  await attempt(prefix, () => pointTo(prefix, 'current', from))
  for (const server of touched) {
    const { dir } = server.home
    await attempt(dir, async () => {
      await stopServer(server)
      // Without a copy the new code has not seen it.
      if (copiedVersion(dir, to) === from) restoreDatabase(dir, to)
    })
    await attempt(dir, () => startServerOf(server, join(prefix, from)))
  }
  return problems
}

async function goBack({ prefix, current, previous }: Installation, force: boolean): Promise<void> {
  const from = current.version
  if (previous === undefined || !readRelease(join(prefix, previous)))
    throw new Failure(
      `${from} was not upgraded from a version that is still here: there is nothing to go back to`,
    )
  const servers = await serversOf(prefix)
  const running = servers.map(({ home }) => home.dir)
  const copied = (dir: string) => copiedVersion(dir, from) === previous
  const without = running.filter((dir) => !copied(dir))
  if (without.length > 0)
    throw new Failure(
      `there is no copy of ${previous} in ${without.join(', ')}: made or first started with ${from}. ` +
        `It would not start any more; stop it first: polebean down --home DIR`,
    )
  const dirs = [...new Set([...running, ...homesHere().flatMap(({ dir }) => (copied(dir) ? dir : []))])]
  note(
    `This goes back from ${from} to ${previous}. What was done since the upgrade is lost${dirs.length > 0 ? ` in ${dirs.join(', ')}` : ''}.`,
  )
  if (!force) await confirmName(previous)
  await undisturbed(async () => {
    for (const server of servers) await stopServer(server)
    for (const dir of dirs) restoreDatabase(dir, from)
    pointTo(prefix, 'current', previous)
    pointTo(prefix, 'previous', undefined)
    const failed: string[] = []
    for (const server of servers)
      await startServerOf(server, join(prefix, previous)).catch((error) => failed.push(reasonOf(error)))
    if (failed.length > 0) throw new Failure(`${previous} is back, but: ${failed.join('; ')}`)
  })
  note(`Polebean is ${previous} again${namesOf(servers)}.`)
}

async function serversOf(prefix: string): Promise<Server[]> {
  const servers = await runningServers(prefix)
  const loose = servers.filter(({ keeper }) => keeper === 'nobody').map(({ home }) => home.dir)
  if (loose.length > 0)
    throw new Failure(
      `a server runs in the foreground (polebean server) for ${loose.join(', ')}; end it first`,
    )
  return servers
}

const namesOf = (servers: Server[]) =>
  servers.length === 0
    ? '; no server runs'
    : `, and answers for ${servers.map(({ home }) => home.dir).join(', ')}`

/** An interruption in the middle would leave servers stopped. */
async function undisturbed<T>(work: () => Promise<T>): Promise<T> {
  const later = () => note('The upgrade cannot be interrupted now; it ends in a moment.')
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const signal of signals) process.on(signal, later)
  try {
    return await work()
  } finally {
    for (const signal of signals) process.off(signal, later)
  }
}
