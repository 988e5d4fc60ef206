// The one runsvdir of a home: found by what it is (program, user and directory), never by a remembered pid.
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { ensureDaemonCgroup } from './cgroup.ts'

/** The pids of the runsvdir processes that scan `dir`, in our pid namespace and of our user. */
export function findRunsvdir(dir: string): number[] {
  return readdirSync('/proc').flatMap((entry) =>
    /^\d+$/.test(entry) && isRunsvdir(entry, dir) ? [Number(entry)] : [],
  )
}

/**
 * Starts one in a session and a cgroup of its own, without a pipe to us. What it has to say is in its own argv
 * (runsvdir.8, log).
 */
export function startRunsvdir(dir: string, homeId: string): Promise<void> {
  const program = PATH.split(':')
    .map((folder) => join(folder, 'runsvdir'))
    .find((file) => existsSync(file))
  if (!program) return Promise.reject(new Error(`not found in ${PATH}`))
  mkdirSync(dir, { recursive: true })
  // A directory that was changed within this second is looked at a second later.
  utimesSync(dir, 1, 1)
  const runsvdir = ['runsvdir', '-P', dir, `log: ${'.'.repeat(395)}`]
  const child = spawn('/bin/sh', ['-c', ENTER, 'enter', ...ensureDaemonCgroup(homeId), '--', ...runsvdir], {
    detached: true,
    cwd: '/',
    stdio: 'ignore',
    env: { PATH, LC_ALL: 'C.UTF-8' },
  })
  child.unref()
  return new Promise((resolve, reject) => {
    child.once('spawn', resolve)
    child.once('error', reject)
  })
}

const PATH = '/usr/sbin:/usr/bin:/sbin:/bin'

/** HAProxy, the resolver, runit and the control plane are the last that the kernel ends when memory is short (proc(5);
 *  instances have +300). Where it may not be lowered (a container) it stays. */
export const OOM_SCORE_ADJ = -900

// Folders of cgroups, `--`, then the program: it is inside before it has a child. Constant text; all values are arguments.
const ENTER = `echo ${OOM_SCORE_ADJ} >/proc/$$/oom_score_adj || :
while [ "$1" != -- ]; do echo $$ >"$1/cgroup.procs"; shift; done; shift; exec "$@"`

// Instances run a runsvdir too, and may call any process what they like: their users and namespaces differ.
function isRunsvdir(pid: string, dir: string): boolean {
  try {
    const argv = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
    return (
      argv[0] === 'runsvdir' &&
      argv[2] === dir &&
      statSync(`/proc/${pid}`).uid === process.geteuid?.() &&
      readlinkSync(`/proc/${pid}/ns/pid`) === readlinkSync('/proc/self/ns/pid')
    )
  } catch {
    return false // it has ended meanwhile
  }
}
