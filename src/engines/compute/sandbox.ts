// One sandbox: files, mounts, container. Instances, builds and readers of stopped instances are all made by it.
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../../kernel/clock.ts'
import { EngineError } from '../../kernel/errors.ts'
import { readFileIfAny } from '../../kernel/files.ts'
import type { Home } from '../../kernel/home.ts'
import { run, runOk } from '../../kernel/process.ts'
import { ensureDisk, repairDisk, waitUntilDetached } from './disk.ts'
import type { LayerMount, SessionOptions, Software } from './engine.ts'
import { guestMounts, type Upper } from './guest-mounts.ts'
import { directory, type Entry, guestTree, hostnameOf, OWNER_IDS } from './guest-tree.ts'
import { hostBinds, hostEntries, mountPoint } from './host-parts.ts'
import { type Bind, ociConfig } from './oci-config.ts'
import { type InitProcess, initProcess, isAlive } from './runc-state.ts'
import { SESSION } from './session.ts'

export type SandboxPlan = {
  /** `i-…` an instance, `b-…` a build, `r-…` a reader; 17 hexadecimal digits. */
  id: string
  address: string | null
  image: string
  diskBytes: number
  revision: number
  layers: LayerMount[]
  readonlyLayers: boolean
  readonlyBinds: Bind[]
  output: string[] | null
  env: Software['env']
  files: Software['files']
  /** Folders that must be there besides. */
  folders: Entry[]
  argv: string[]
  cpu: number
  memoryBytes: number
  pids: number
  tmpBytes: number | null
}

export type Sandboxes = {
  /** Makes the container; its init waits for `start`. Answers the init's process id. What is left of an earlier one goes. */
  create(plan: SandboxPlan): Promise<number>
  start(id: string): Promise<void>
  signal(id: string, signal: 'TERM' | 'KILL'): Promise<void>
  /** Ends what still runs and removes container, cgroup and run folder. Quiet when there is nothing. */
  destroy(id: string): Promise<void>
  /** argv that runs `argv` inside. */
  execArgv(
    id: string,
    user: 'root' | 'webapp',
    env: Record<string, string>,
    cwd: string,
    argv: string[],
  ): string[]
  /** The same, one at a time in a sandbox: the environment goes by a file, since every user of the machine reads argv. */
  execArgvByFile: Sandboxes['execArgv']
  /** argv that runs `argv` inside with streams of its own; runc writes the process's number into `pidFile`. */
  sessionArgv(
    id: string,
    argv: string[],
    options: SessionOptions,
  ): { argv: string[]; pidFile: string; files: string[] }
  /** The first process, as runc knows it; it may be dead. */
  init(id: string): InitProcess | undefined
  /** Ids that have a run folder: what runs, and what a crash left behind. */
  ids(): string[]
  /** Removes what the home keeps outside its folder when nothing runs any more. */
  removeAll(): Promise<void>
  runDirOf(id: string): string
  cgroupOf(id: string): string
}

export function makeSandboxes(home: Home, clock: Clock): Sandboxes {
  const base = join(home.runDir, 'compute')
  const stateDir = join(base, 'runc')
  const runc = ['runc', '--root', stateDir]
  const dirOf = (id: string) => join(base, checkId(id))
  const containerOf = (id: string) => `pb${home.id}-${checkId(id)}`
  const cgroupOf = (id: string) => `/polebean/${home.id}/${checkId(id)}`

  const create = async (plan: SandboxPlan) => {
    const dir = dirOf(plan.id)
    await destroy(plan.id)
    // The container's root is nobody on the host, and must be able to walk to its root file system.
    for (const path of [home.runDir, base, dir, `${dir}/m`, `${dir}/m/disk`]) makeFolder(path, 0o711)
    makeFolder(`${dir}/empty`, 0o755)
    makeFolder(stateDir, 0o700)
    link(home.dir, join(base, 'home'))
    const mounts = guestMounts({
      ...plan,
      dir,
      layersDir: `${base}/home/layers`,
      readonlyBinds: [...hostBinds(), ...plan.readonlyBinds],
    })
    writeUppers(`${dir}/uppers`, home.idBase, mounts.uppers)
    const disk = ensureDisk(plan.image, plan.diskBytes, `${dir}/uppers`)
    for (const { path, source } of mounts.places)
      if (source === null || statSync(source).isDirectory()) makeFolder(path, 0o755)
      else writeFileSync(path, '')
    const places = mounts.binds.map(
      ({ source, target }) => (existsSync(source) ? mountPoint(source, target) : directory(target)), // the disk's own parts are not mounted yet
    )
    const extra = [...hostEntries(), ...plan.folders, ...places]
    writeTree(`${dir}/tree`, home.idBase, guestTree({ ...plan, extra }))
    writeFileSync(`${dir}/fstab`, mounts.fstab)
    const config = ociConfig({
      rootfs: `${dir}/m/root`,
      argv: plan.argv,
      hostname: plan.address ? hostnameOf(plan.address) : 'localhost',
      idBase: home.idBase,
      cgroupsPath: cgroupOf(plan.id),
      cpu: plan.cpu,
      memoryBytes: plan.memoryBytes,
      pids: plan.pids,
      limitSwap: canLimitSwap(),
      filesMax: Math.min(65_536, ownFilesMax()),
      binds: mounts.binds,
      tmpBytes: plan.tmpBytes,
    })
    writeFileSync(`${dir}/config.json`, JSON.stringify(config))
    await disk
    // A program that a dead control plane had started may have made the container only now.
    await waitUntilDetached(clock, plan.image, () => endContainer(plan.id))
    await repairDisk(plan.image)
    const uppers = mounts.uppers.map(({ name, uid }) => `${name}:${home.idBase + uid}`)
    const result = await run([
      ...['unshare', '--mount', '--propagation', 'private', '/bin/sh', '-euc', ASSEMBLE, 'assemble'],
      ...[
        dir,
        `${base}/home/${plan.image.slice(home.dir.length + 1)}`,
        stateDir,
        containerOf(plan.id),
        ...uppers,
      ],
    ])
    if (result.exit !== 0) {
      const said = `${result.stderr.toString()} ${readFileIfAny(`${dir}/log`) ?? ''}`.trim().slice(-500)
      await destroy(plan.id)
      throw new EngineError(`cannot make the sandbox of ${plan.id}: ${said}`)
    }
    return Number(readFileSync(`${dir}/pid`, 'utf8'))
  }

  const destroy = async (id: string) => {
    await endContainer(id)
    await removeCgroup(cgroupOf(id))
    // A program that a dead control plane had started may be writing its last file there.
    rmSync(dirOf(id), { recursive: true, force: true, maxRetries: 10, retryDelay: 20 })
  }

  const endContainer = async (id: string) => {
    const init = initProcess(stateDir, containerOf(id))
    if (init || existsSync(join(stateDir, containerOf(id)))) {
      await run([...runc, 'delete', '--force', containerOf(id)])
      if (init && isAlive(init)) throw new EngineError(`${id} does not end`)
      // runc refuses what a crash left half written; its folder is then all that is left.
      rmSync(join(stateDir, containerOf(id)), { recursive: true, force: true })
    }
  }

  let sessions = 0

  const writeProcess = (
    id: string,
    name: string,
    user: 'root' | 'webapp',
    env: Record<string, string>,
    own: { args: string[]; cwd: string; terminal?: boolean },
  ): string => {
    const { process } = JSON.parse(readFileSync(`${dirOf(id)}/config.json`, 'utf8')) as {
      process: { env: string[] }
    }
    const [uid, gid] = OWNER_IDS[user]
    const file = `${dirOf(id)}/${name}.json`
    rmSync(file, { force: true })
    const mine = new Map([
      ...process.env.map((one) => [one.slice(0, one.indexOf('=')), one] as const),
      ...Object.entries(env).map(([key, value]) => [key, `${key}=${value}`] as const),
    ])
    const all = { ...process, ...own, user: { uid, gid }, env: [...mine.values()] }
    writeFileSync(file, JSON.stringify(all), { mode: 0o600 })
    return file
  }

  return {
    create,
    destroy,
    start: async (id) => void (await runOk([...runc, 'start', containerOf(id)])),
    signal: async (id, signal) => void (await runOk([...runc, 'kill', containerOf(id), signal])),
    execArgv: (id, user, env, cwd, argv) => [
      ...runc,
      'exec',
      ...['--user', OWNER_IDS[user].join(':'), '--cwd', cwd],
      ...Object.entries(env).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
      containerOf(id),
      ...argv,
    ],
    execArgvByFile: (id, user, env, cwd, argv) => {
      const file = writeProcess(id, 'exec', user, env, { args: argv, cwd })
      return [...runc, 'exec', '--process', file, containerOf(id)]
    },
    sessionArgv: (id, argv, { user, env, terminal }) => {
      const name = `${SESSION}${process.pid}-${++sessions}`
      const file = writeProcess(id, name, user, env, { args: argv, cwd: '/', terminal: terminal !== null })
      const pidFile = `${dirOf(id)}/${name}.pid`
      return {
        argv: [...runc, 'exec', '--process', file, '--pid-file', pidFile, containerOf(id)],
        pidFile,
        files: [file, pidFile],
      }
    },
    init: (id) => initProcess(stateDir, containerOf(id)),
    ids: () => (existsSync(base) ? readdirSync(base).filter((name) => ID.test(name)) : []),
    removeAll: async () => {
      rmSync(base, { recursive: true, force: true })
      await removeCgroup(`/polebean/${home.id}`)
      await removeCgroup('/polebean') // stays while another home has something in it
    },
    runDirOf: dirOf,
    cgroupOf,
  }
}

// $1 run folder, $2 disk image, $3 state of runc, $4 container; then `name:uid` of each writable part. Constant text;
// all values are arguments. Parts of earlier deployments go; `work` is made last, so a part that has it is whole. The kernel
// counts what an instance watches of files as the host's root's too, who has 128 in all: without a limit of its own one
// instance could leave no resolver, supervisor or udev able to watch anything. Where /proc is read-only it stays without.
const INOTIFY_INSTANCES_MAX = 32
const ASSEMBLE = `
dir=$1 image=$2 state=$3 container=$4
shift 4
mount -t ext4 -o loop,nodev,nosuid,noatime,noinit_itable "$image" "$dir/m/disk"
cd "$dir/m/disk"
for part in *; do
  case " $* " in *" $part:"*) ;; *) [ "$part" = lost+found ] || rm -rf -- "$part" ;; esac
done
for part in "$@"; do
  name=\${part%:*} uid=\${part##*:}
  [ -d "$name/work/" ] || { install -d -m 0755 -o "$uid" -g "$uid" "$name/upper"; mkdir "$name/work"; }
done
cd /
mount -a -T "$dir/fstab"
runc --root "$state" --log "$dir/log" create --bundle "$dir" --pid-file "$dir/pid" "$container" </dev/null >/dev/null 2>&1
read -r pid <"$dir/pid" || [ -n "$pid" ]
echo ${INOTIFY_INSTANCES_MAX} | nsenter --target "$pid" --user tee /proc/sys/user/max_inotify_instances >/dev/null || :
`

/** What a new disk begins with; ASSEMBLE makes the same on a disk that is there. */
function writeUppers(root: string, idBase: number, uppers: Upper[]) {
  for (const { name, uid } of uppers) {
    for (const part of ['upper', 'work']) makeFolder(join(root, name, part), 0o755)
    chownSync(join(root, name, 'upper'), idBase + uid, idBase + uid)
  }
}

function writeTree(root: string, idBase: number, entries: Entry[]) {
  makeFolder(root, 0o755)
  chownSync(root, idBase, idBase)
  for (const entry of entries) {
    const path = root + entry.path
    if (entry.kind === 'link') {
      symlinkSync(entry.to, path)
      continue
    }
    if (entry.kind === 'directory') mkdirSync(path)
    else writeFileSync(path, entry.content)
    const [uid, gid] = OWNER_IDS[entry.owner]
    chownSync(path, idBase + uid, idBase + gid)
    chmodSync(path, entry.mode)
  }
  // runsvdir waits a second before it trusts a folder that was changed within this one.
  if (existsSync(`${root}/etc/service`)) utimesSync(`${root}/etc/service`, LONG_AGO, LONG_AGO)
}

const LONG_AGO = 1_000_000_000

function makeFolder(path: string, mode: number) {
  mkdirSync(path, { recursive: true })
  chmodSync(path, mode)
}

function link(to: string, path: string) {
  rmSync(path, { force: true })
  symlinkSync(to, path)
}

const ID = /^[ibr]-[0-9a-f]{17}$/

function checkId(id: string): string {
  if (!ID.test(id)) throw new EngineError(`not an instance id: ${JSON.stringify(id)}`)
  return id
}

/** After a crash runc has forgotten a container whose cgroup is still there. */
async function removeCgroup(path: string) {
  const roots = existsSync('/sys/fs/cgroup/cgroup.controllers')
    ? ['/sys/fs/cgroup']
    : readFileSync('/proc/self/mountinfo', 'utf8')
        .split('\n')
        .flatMap((line) => {
          const fields = line.split(' ')
          return fields.includes('cgroup') || fields.includes('cgroup2') ? (fields[4] ?? []) : []
        })
  const left = roots.map((root) => root + path).filter((folder) => existsSync(folder))
  if (left.length > 0) await run(['rmdir', ...left])
}

const canLimitSwap = () =>
  existsSync('/sys/fs/cgroup/cgroup.controllers') ||
  existsSync('/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes')

const ownFilesMax = () => {
  const hard = /^Max open files\s+\d+\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]
  return Number(hard ?? 1024)
}
