// The cgroup of a home's daemons. systemd ends a unit or a login session by its cgroup, so what must outlive the command
// that started it may not stay in that command's (design §1.2).
import { existsSync, mkdirSync, readFileSync, rmdirSync } from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * Where processes are grouped for being ended: version 2 and, on older systems, systemd's own hierarchy without a
 * controller. `mountinfo` as in proc(5). What v1 controllers count stays with the caller.
 */
export function groupingRoots(mountinfo: string): string[] {
  return mountinfo.split('\n').flatMap((line) => {
    const [mount = '', file = ''] = line.split(' - ')
    const [type, , options = ''] = file.split(' ')
    const isSystemd = type === 'cgroup' && options.split(',').includes('name=systemd')
    return type === 'cgroup2' || isSystemd ? [mount.split(' ')[4] ?? ''] : []
  })
}

/** Beside the instances' cgroups, a leaf: version 2 allows no process above a group with controllers. */
const pathOf = (homeId: string) => `polebean/${homeId}/daemons`

const foldersOf = (homeId: string): string[] =>
  groupingRoots(readFileSync('/proc/self/mountinfo', 'utf8')).map((root) => join(root, pathOf(homeId)))

/** Makes the cgroup; answers its folders. Where it cannot be made (a container) the daemons stay with their caller. */
export function ensureDaemonCgroup(homeId: string): string[] {
  return foldersOf(homeId).filter((folder) => {
    try {
      mkdirSync(folder, { recursive: true })
      return true
    } catch {
      return false
    }
  })
}

/** What runs in it, but for ourselves. */
export function daemonsIn(homeId: string): number[] {
  const pids = foldersOf(homeId).flatMap((folder) => {
    const file = join(folder, 'cgroup.procs')
    return existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean).map(Number) : []
  })
  return [...new Set(pids)].filter((pid) => pid > 0 && pid !== process.pid) // 0: of another pid namespace
}

/** Removes the cgroup, and those above it that nobody uses any more. Answers whether it is gone. */
export function removeDaemonCgroup(homeId: string): boolean {
  const folders = foldersOf(homeId)
  for (const folder of folders)
    for (const one of [folder, dirname(folder), dirname(dirname(folder))])
      try {
        rmdirSync(one)
      } catch {
        // in use, or not there
      }
  return folders.every((folder) => !existsSync(folder))
}
