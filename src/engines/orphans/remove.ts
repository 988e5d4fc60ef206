// Removes what carries the id of a home that is gone. Each step is quiet when there is nothing; called again after a crash it
// goes on.
import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { EngineError } from '../../kernel/errors.ts'
import { readFileIfAny } from '../../kernel/files.ts'
import { run } from '../../kernel/process.ts'
import { putBlock } from '../hosts/etc-hosts.ts'
import { removeLink, removeNamespace } from '../network/ip.ts'
import { describeThings, thingsByHome, type Accept, type Things } from './find.ts'
import { lookForThings, RUN } from './look.ts'

const END_MS = 10_000
const LOOK_AGAIN_MS = 50

/** Needs root. Throws what is left when not everything goes. */
export async function removeThings(things: Things): Promise<void> {
  await endProcesses(things)
  for (const accept of things.accepts) await run(argvOf(accept))
  for (const table of things.tables) await run(['nft', 'delete', 'table', ...table.split(' ')])
  for (const name of things.namespaces) await removeNamespace(name)
  for (const name of things.interfaces) await removeLink(null, name)
  // What lies deeper first.
  for (const mount of [...things.mounts].sort().reverse()) await run(['umount', '--lazy', mount])
  for (const { device } of things.loops) await run(['losetup', '--detach', device])
  for (const id of things.hosts) putBlock(id, [])
  rmSync(join(RUN, things.id), { recursive: true, force: true })
  for (const folder of things.cgroups) removeFolder(folder)
  for (const folder of new Set(things.cgroups.map((path) => path.replace(/\/polebean\/.*/, '/polebean'))))
    removeFolder(folder)
  const left = thingsByHome(await lookForThings()).find(({ id }) => id === things.id)
  if (left) throw new EngineError(`of the home ${things.id} is left: ${describeThings(left)}`)
}

// Those in its cgroups and network namespaces: nothing else knows them, since the folder is gone. Supervisors start again
// what ends, so all are looked for until none is left.
async function endProcesses(things: Things): Promise<void> {
  for (const end = performance.now() + END_MS; ; await sleep(LOOK_AGAIN_MS)) {
    const pids = await processesOf(things)
    if (pids.length === 0) return
    if (performance.now() > end)
      throw new EngineError(`processes of the home ${things.id} do not end: ${pids.join(', ')}`)
    for (const pid of pids)
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // it has ended by itself
      }
  }
}

async function processesOf({ id, namespaces }: Things): Promise<number[]> {
  const group = new RegExp(`/polebean/${id}(/|$)`, 'm')
  const grouped = readdirSync('/proc').filter(
    (entry) => /^\d+$/.test(entry) && group.test(readFileIfAny(`/proc/${entry}/cgroup`) ?? ''),
  )
  const inside: string[] = []
  // The third, `-host`, names the machine's own.
  for (const name of namespaces.filter((one) => !one.endsWith('-host')))
    inside.push(...(await run(['ip', 'netns', 'pids', name])).stdout.toString().split('\n'))
  return [...new Set([...grouped, ...inside].filter(Boolean).map(Number))].filter(
    (pid) => pid !== process.pid && isThere(pid),
  )
}

/** A zombie has ended; who reaps it is not our business. */
function isThere(pid: number): boolean {
  if (!existsSync(`/proc/${pid}/stat`)) return false
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat[stat.lastIndexOf(')') + 2] !== 'Z'
  } catch {
    return false
  }
}

const argvOf = (accept: Accept): string[] =>
  'handle' in accept
    ? ['nft', 'delete', 'rule', accept.family, accept.table, accept.chain, 'handle', String(accept.handle)]
    : [accept.tool, '-w', '-D', accept.chain, ...accept.rule]

function removeFolder(folder: string): void {
  try {
    rmdirSync(folder)
  } catch {
    // another home is in it, or it went with what was in it
  }
}
