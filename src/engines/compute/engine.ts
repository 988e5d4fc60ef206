// What runs instances. The smallest interface that a runc sandbox and a Kubernetes pod can both keep (design §10).
//
// Contract, checked by conformance.ts on every engine:
// - `launch` is idempotent by id: a second call with an id that exists changes nothing. It returns when accepted; the
//   instance shows up in `list()` at once (as `pending` or `running`).
// - `update` keeps id, address and disk: it stops the processes (SIGTERM, grace, SIGKILL), swaps layers, env and files,
//   starts again; one that was stopped is started. Its `revision` is reported by `list()` from then on, also when the
//   start failed. What processes wrote into a layer's folder, /etc or /opt/elasticbeanstalk is gone then; the rest of the
//   disk stays (/var/log, /home).
// - The services under /etc/service are told to end in the order of their names, each once the one before it has ended
//   or three seconds are over.
// - `list()` is complete or throws. It never leaves out an instance because one of its parts could not be read.
// - `remove` of an unknown id is quiet. After it no process, mount, cgroup, interface or directory of the id is left.
// - Everything survives the death of the control plane: instances run on and are found again by the next `list()`.
// - A session ends with its program, with its instance, or by `hangUp`: what it runs is told SIGHUP, and killed when that
//   does not end it, unless it ignores it, as behind `nohup`. What a dead control plane had open is ended by the next one.
// - After a reboot of the machine every instance that was launched and not removed is listed as `stopped`;
//   `start` brings it back with the same id, address and disk.

import type { Readable, Writable } from 'node:stream'

/** A directory tree built once, mounted at `target` inside. `digest` is what `build` answered. */
export type LayerMount = { digest: string; target: string }

/** A configuration file laid into the instance before its processes start. `mode` as in 0o644; owner inside. */
export type InstanceFile = { path: string; content: string; mode: number; owner: 'root' | 'webapp' }

/** What makes an instance an application server: everything that a deployment may change. */
export type Software = {
  /** Grows with every deployment to this instance; the engine only stores and reports it. */
  revision: number
  layers: LayerMount[]
  /** Environment of the application's processes: the engine lays it out as one file a variable in /etc/polebean/env (for
   *  `chpst -e`; webapp may read it) and as lines in /opt/elasticbeanstalk/deployment/env (root only). Names are
   *  [A-Za-z_][A-Za-z0-9_.:+@-]*. */
  env: Record<string, string>
  /** Must hold what PID 1 runs: runit service directories under /etc/service/<name>/run (design §5). */
  files: InstanceFile[]
}

/** What an instance may take of its machine. */
export type InstanceSize = {
  /** Virtual CPUs; may be a fraction. */
  cpu: number
  memoryBytes: number
}

export type InstanceSpec = InstanceSize & {
  /** `i-` and 17 hexadecimal digits. Engines validate it. */
  id: string
  /** Which host programs and libraries the instance sees. */
  platform: { name: string; version: string }
  software: Software
  diskBytes: number
  /** Processes and threads at most. */
  pids: number
  zone: string
  /** The address that ec2 reserved for it. An engine that cannot honour it reports the one it gave. */
  requestedAddress: string
  /** Opaque to the engine; comes back in `list()`, so that things of another home or generation can be told apart. */
  tags: Record<string, string>
}

export type InstanceState = 'pending' | 'running' | 'stopping' | 'stopped' | 'unknown'

/** The reason of an instance that ended by itself while the machine and the engine ran. */
export const DIED = 'its first process ended'

export type InstanceObservation = {
  id: string
  state: InstanceState
  /** Why it is in this state, one line; '' when there is nothing to say; DIED when nobody asked for its end. */
  reason: string
  /** When the state was entered, epoch ms. */
  since: number
  /** Changes with each start: counters of another boot do not continue. '' when it never started. */
  boot: string
  /** Revision of the software that was last applied. */
  revision: number
  address: string | null
  zone: string
  node: string
  tags: Record<string, string>
}

export type ExecOptions = {
  user?: 'root' | 'webapp'
  stdin?: string
  timeoutMs: number
  outputBytesMax: number
}
export type ExecResult = { exit: number; output: string; truncated: boolean }

export type SessionOptions = {
  user: 'root' | 'webapp'
  /** On top of the instance's own variables. */
  env: Record<string, string>
  /** A terminal of this size; null: none, and the streams are as the program writes them. */
  terminal: { rows: number; columns: number } | null
}

export type Session = {
  stdin: Writable
  stdout: Readable
  /** Empty on a terminal. */
  stderr: Readable
  /** When all is written that it wrote; 128 + n after signal n. `cut`: its instance has ended. Rejects when it could not begin. */
  ended: Promise<{ exit: number; cut: boolean }>
  resize(rows: number, columns: number): void
  /** Resolves when nothing of it runs any more. */
  hangUp(): Promise<void>
}

/** How far a file was followed: `offset` bytes of the one of that inode. `rotated` says how the file beside it looked then to which
 *  what is full is moved (`PATH.1`), so that its next change is seen. All but `offset` is the engine's own. */
export type FilePosition = { inode: string; offset: number; rotated: string }

/** What follows in one file. After it the position is `from` with its `offset` moved by as many of the bytes as were taken. */
export type FollowedPart = {
  path: string
  from: FilePosition
  bytes: Buffer
  /** It was rotated, and this is the last of it: what the file has now follows as a part of its own. */
  ends: boolean
}

/** Counters of one instance since `boot`; a missing member was not measured, or not asked for, which is not zero. */
export type InstanceStats = {
  id: string
  boot: string
  at: number
  cpuSeconds?: number
  /** The two kinds of which `cpuSeconds` consists, as far as the machine tells them apart. */
  cpuUserSeconds?: number
  cpuSystemSeconds?: number
  /** Of the user's, at a lower priority. */
  cpuNiceSeconds?: number
  /** In which nothing of it could run, since all waited for disks. */
  ioWaitSeconds?: number
  /** Tasks that just then ran, or waited for a processor or a disk. */
  runnable?: number
  /** Of its root file system. */
  diskUsedBytes?: number
  diskBytes?: number
  /** Now, without what the kernel could drop. */
  memoryBytes?: number
  /** As the instance sees it. They start again when it is attached to the network anew. */
  networkInBytes?: number
  networkOutBytes?: number
  networkInPackets?: number
  networkOutPackets?: number
  /** Of its own disk, as far as the kernel says whose they are (with cgroup version 1 only few writes). */
  diskReadBytes?: number
  diskWriteBytes?: number
  diskReads?: number
  diskWrites?: number
  /** Now. */
  processes?: number
}

/** Parts of InstanceStats, each of which costs something to measure. */
export const STATS_PARTS = [
  ...(['cpu', 'cpuKinds', 'memory', 'network', 'disk', 'processes', 'tasks', 'root'] as const),
] as const
export type StatsPart = (typeof STATS_PARTS)[number]

/** What an instance makes of its memory. */
export type InstanceMemory = {
  id: string
  /** Without what the kernel could drop; absent while it does not run or cannot be measured. */
  usedBytes?: number
  limitBytes: number
  /** Processes that the kernel ended for want of memory, since the launch, over all boots: it never shrinks. */
  oomKills: number
  /** The name of the last of them; '' when there is none or the kernel's log does not tell. */
  oomProcess: string
  /** Whether all of the machine's memory was short then, not only the instance's own. */
  oomOfMachine: boolean
}

/** One build in a sandbox that has an instance's network, the given inputs read-only and an empty output folder. */
export type BuildRequest = {
  /** Content key: equal keys build once. The digest of the layer is derived from it. Form: [a-z0-9-]{1,80}. */
  key: string
  platform: { name: string; version: string }
  /** Files or folders of the host handed in read-only at /build/in/<name>: files are copied, folders mounted, so what is in
   *  a folder must be readable for everybody. */
  inputs: { name: string; path: string }[]
  /** Other layers visible read-only, e.g. the unpacked bundle while dependencies are installed. */
  layers: LayerMount[]
  /** Small generated files: /build/in/<name>. */
  files: { name: string; content: string; mode: number }[]
  /** Run with cwd /build/out as the unprivileged user; what lies in /build/out at exit 0 becomes the layer.
   *  If the layer must know its final place (a Python venv does), `target` is bind-mounted to /build/out too. */
  argv: string[]
  target: string
  env: Record<string, string>
  timeoutMs: number
  /** Bytes that the layer may have at most. */
  outputBytesMax: number
  /** What its processes may hold together; without it half of the machine's memory, 4 GiB at most. */
  memoryBytesMax?: number
}
export type BuildResult = {
  exit: number
  output: string
  digest: string
  /** There when the kernel ended processes of the build for want of memory. `process`: the last one, '' unknown. */
  oom?: { process: string; limitBytes: number }
}

export type Capacity = {
  cpu: number
  memoryBytes: number
  /** What of it neither instances nor builds use, but the system and other programs. */
  otherMemoryBytes: number
  diskBytes: number
  architecture: 'x86_64' | 'arm64'
}

export type ComputeEngine = {
  launch(spec: InstanceSpec): Promise<void>
  /** With `size` it has that size from this start on. */
  update(id: string, software: Software, graceMs: number, size?: InstanceSize): Promise<void>
  stop(id: string, graceMs: number): Promise<void>
  /** With `size` it has that size from this start on; one that runs already keeps its own. */
  start(id: string, size?: InstanceSize): Promise<void>
  remove(id: string): Promise<void>
  list(): Promise<InstanceObservation[]>
  /** Runs argv inside. Rejects with EngineError when the instance is not running or time is over. */
  exec(id: string, argv: string[], options: ExecOptions): Promise<ExecResult>
  /** Runs argv inside for somebody who types. Rejects with EngineError when the instance is not running. */
  session(id: string, argv: string[], options: SessionOptions): Promise<Session>
  /** Bytes from the end of a file (`tailBytes`) as seen inside; works on a stopped instance too. For a file that is not
   *  there the EngineError says `No such file or directory`. */
  read(id: string, path: string, options: { tailBytes: number }): Promise<Buffer>
  /** Of all that run; with `parts` nothing else is measured. Cheap: some parts are asked every second. */
  stats(parts?: readonly StatsPart[]): Promise<InstanceStats[]>
  /** What was written to files after a position (null: from their beginning), at most `bytesMax` of each, as seen inside. A file that
   *  is not there has no part, nor has one with nothing new. Of one that was emptied or replaced since, comes first what `PATH.1`
   *  has of it after the position, as far as that is still there. Rejects with EngineError when the instance is not running. */
  follow(
    id: string,
    files: { path: string; position: FilePosition | null }[],
    options: { bytesMax: number },
  ): Promise<FollowedPart[]>
  /** Of every instance that was launched and not removed. Cheap: asked every few seconds. */
  memory(): Promise<InstanceMemory[]>
  /** The ends of all logs under /var/log as one text, each after a line `==> PATH <==`; works on a stopped instance too. */
  logs(id: string, options: { tailBytes: number; bytesMax: number }): Promise<string>
  /** Answers the exit status and the last part of the output (≤ 64 KiB). A failed build leaves no layer. */
  build(request: BuildRequest): Promise<BuildResult>
  /** Digests of the layers that are there, and what they are keyed by. */
  layers(): Promise<{ digest: string; key: string; bytes: number }[]>
  removeLayer(digest: string): Promise<void>
  capacity(): Promise<Capacity>
  /** The range that addresses are taken from and the zones that exist. Fixed for the life of a home. The last 256
   *  addresses of the range are the engine's own. `edge`: where instances see clients outside come from. */
  network(): { cidr: string; zones: string[]; edge: string }
}
