// The OCI configuration of a sandbox as a value (https://github.com/opencontainers/runtime-spec, 1.0).
import { seccompProfile } from './seccomp.ts'

export type Bind = { source: string; target: string }

export type OciInput = {
  rootfs: string
  argv: string[]
  hostname: string
  idBase: number
  cgroupsPath: string
  cpu: number
  memoryBytes: number
  pids: number
  /** Set the swap limit too: only where the kernel has that control, runc refuses it elsewhere. */
  limitSwap: boolean
  /** Open files at most; not above what the engine itself may have. */
  filesMax: number
  /** Mounted in this order. What is read-only is so at its source already. */
  binds: Bind[]
  /** Sizes of memory file systems; null = /tmp lies on the disk. */
  tmpBytes: number | null
}

export const IDS_PER_HOME = 65_536

const CAPABILITIES = ['CAP_CHOWN', 'CAP_SETUID', 'CAP_SETGID', 'CAP_KILL', 'CAP_DAC_OVERRIDE', 'CAP_FOWNER']
const CPU_PERIOD_US = 100_000

export function ociConfig(input: OciInput): object {
  const ids = [{ containerID: 0, hostID: input.idBase, size: IDS_PER_HOME }]
  const tmpfs = (destination: string, ...options: string[]) => ({
    destination,
    type: 'tmpfs',
    source: 'tmpfs',
    options: ['nosuid', 'nodev', ...options],
  })
  return {
    ociVersion: '1.0.2',
    process: {
      terminal: false,
      user: { uid: 0, gid: 0 },
      args: input.argv,
      env: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'LC_ALL=C.UTF-8', 'HOME=/root'],
      cwd: '/',
      capabilities: {
        bounding: CAPABILITIES,
        effective: CAPABILITIES,
        permitted: CAPABILITIES,
        inheritable: [],
        ambient: [],
      },
      rlimits: [{ type: 'RLIMIT_NOFILE', soft: input.filesMax, hard: input.filesMax }],
      noNewPrivileges: true,
      // The host's own daemons are the last that the kernel ends when memory is short.
      oomScoreAdj: 300,
    },
    root: { path: input.rootfs, readonly: false },
    hostname: input.hostname,
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
      tmpfs('/dev', 'mode=755', 'size=64k'),
      {
        destination: '/dev/pts',
        type: 'devpts',
        source: 'devpts',
        options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
      },
      tmpfs('/dev/shm', 'mode=1777', 'size=67108864'),
      {
        destination: '/dev/mqueue',
        type: 'mqueue',
        source: 'mqueue',
        options: ['nosuid', 'noexec', 'nodev'],
      },
      { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', 'ro'] },
      tmpfs('/run', 'mode=755', 'size=67108864'),
      ...(input.tmpBytes === null ? [] : [tmpfs('/tmp', 'mode=1777', `size=${input.tmpBytes}`)]),
      ...input.binds.map(({ source, target }) => ({
        destination: target,
        type: 'bind',
        source,
        options: ['rbind'],
      })),
    ],
    linux: {
      namespaces: ['pid', 'ipc', 'uts', 'mount', 'user', 'cgroup', 'network'].map((type) => ({ type })),
      uidMappings: ids,
      gidMappings: ids,
      rootfsPropagation: 'private',
      cgroupsPath: input.cgroupsPath,
      sysctl: { 'net.ipv4.ip_unprivileged_port_start': '0' },
      resources: {
        devices: [{ allow: false, access: 'rwm' }],
        memory: { limit: input.memoryBytes, ...(input.limitSwap ? { swap: input.memoryBytes } : {}) },
        cpu: {
          shares: Math.max(2, Math.round(1024 * input.cpu)),
          quota: Math.max(1_000, Math.round(CPU_PERIOD_US * input.cpu)),
          period: CPU_PERIOD_US,
        },
        pids: { limit: input.pids },
      },
      seccomp: seccompProfile,
      maskedPaths:
        `/proc/acpi /proc/asound /proc/interrupts /proc/kcore /proc/keys /proc/latency_stats /proc/sched_debug
        /proc/scsi /proc/timer_list /proc/timer_stats /sys/devices/virtual/powercap /sys/firmware`.split(
          /\s+/,
        ),
      readonlyPaths: '/proc/bus /proc/fs /proc/irq /proc/sys /proc/sysrq-trigger'.split(' '),
    },
  }
}
