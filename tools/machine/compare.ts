// Two pictures of a machine (picture.sh), and what may differ between them.
import { readFileSync } from 'node:fs'

export const PICTURE = readFileSync(new URL('picture.sh', import.meta.url), 'utf8')

/** Lines that differ on a machine that nobody touched, or that are not Polebean's to undo: pattern and reason. */
export const BY_THEMSELVES: [line: RegExp, reason: string][] = [
  [
    /^sysctl (fs\.(dentry-state|file-nr|inode|aio-nr|quota)|net\.ipv4\.tcp_fastopen_key|kernel\.(random|ns_last_pid|pty|perf|sched_|nf_)|net\.netfilter|net\.ipv4\.(tcp_mem|udp_mem)|vm\.)/,
    'figures of the running kernel',
  ],
  [
    /^sysctl (fs\.epoll\.max_user_watches|fs\.file-max|kernel\.threads-max) /,
    'what the kernel works out at each boot, from the memory that it finds',
  ],
  [/^sysctl net\.ipv[46]\.(conf|neigh)\.\S+/, 'of interfaces, which are compared themselves'],
  [
    /^sysctl (net\.core|net\.ipv4\.(ip_|tcp_|icmp|igmp|ping|fib|route|xfrm|inet|fwmark|conf))?.*\b(modules|nf_conntrack)\b/,
    'what a loaded module adds',
  ],
  [/^sysctl (net\.bridge|net\.unix|user\.|fs\.(mqueue|overlay|nfs)|dev\.)/, 'what a loaded module adds'],
  [
    /^(file|content) .*\/(etc\/(ld\.so\.cache|resolv\.conf|machine-id|mtab|adjtime)|var\/lib\/(systemd|private|ucf|logrotate|man-db)\b)/,
    'the system writes it by itself',
  ],
  [
    /^(file|content) .*\/etc\/(passwd|group|shadow|gshadow|subuid|subgid)-( |$)/,
    'the previous file, kept by useradd',
  ],
  [
    /^run (sshd|motd|utmp|user|systemd|sudo|lock|log|shm|mount|screen|dbus|udev|tmpfiles)/,
    'of the running system',
  ],
  [
    /^active (session-|user@|user-runtime-dir@|systemd-|apt-|dpkg-|e2scrub|fstrim|man-db|motd|logrotate|ssh|phpsessionclean)/,
    'comes and goes with logins and timers',
  ],
  [/^active ldconfig\.service$/, 'Debian 13 runs it at the first start of a disk, and then no more'],
  [/^unit session-\d+\.scope transient$/, 'a login'],
  [
    /^(run (adduser|haproxy|netns)|mount \/run\/netns tmpfs)$/,
    'in memory until the next boot: of adduser, of the package’s tmpfiles.d, of ip-netns',
  ],
  [/^(mount|cgroup) .*(user\.slice|\/run\/user|binfmt_misc|autofs)/, 'comes and goes with logins'],
  [
    /^file . \d+ \S+ \/(home|root)\/(\S+\/)?\.(bash_history|cache|npm|config|local|aws)\b/,
    'of the user: caches of npm and pip',
  ],
]

export type Difference = { gone: string[]; came: string[] }

/** Pure: lines that only one of two pictures has, without those that may differ. `more`: further ones of this comparison. */
export function compare(before: string, after: string, more: RegExp[] = []): Difference {
  const may = [...BY_THEMSELVES.map(([pattern]) => pattern), ...more]
  const lines = (text: string) =>
    new Set(text.split('\n').filter((line) => line !== '' && !may.some((pattern) => pattern.test(line))))
  const [old, now] = [lines(before), lines(after)]
  return { gone: [...old].filter((line) => !now.has(line)), came: [...now].filter((line) => !old.has(line)) }
}
