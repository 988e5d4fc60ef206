// Where setup looks and writes on a machine, as one value: tests hand in folders of their own.
import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Where the engines and instances look for programs, too: nothing outside of /usr is seen inside an instance. */
const FOLDERS = ['/usr/sbin', '/usr/bin', '/sbin', '/bin']

const MULTIARCH = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' }[process.arch] ?? ''

export const MACHINE = {
  folders: FOLDERS,
  libraries: [`/usr/lib/${MULTIARCH}`, '/usr/lib64', '/usr/lib'],
  policy: '/usr/sbin/policy-rc.d',
  ledger: '/var/lib/polebean-setup/ledger.jsonl',
  /** Is there when systemd is the machine's first process. */
  systemd: '/run/systemd/system',
  users: { user: '/etc/passwd', group: '/etc/group' },
  /** Where homes claim their ports (src/home-ports.ts), and where their sockets are. */
  claims: '/var/lib/polebean-ports',
  run: '/run/polebean',
  /** The only folders that `uninstall` removes with what is in them. */
  ours: ['/opt/polebean', '/etc/polebean'],
}

/** Package → the unit it brings and enables: haproxy and nginx would take port 80 at the next boot. */
export const UNITS = {
  haproxy: { unit: 'haproxy.service', program: 'haproxy' },
  'nginx-light': { unit: 'nginx.service', program: 'nginx' },
  runit: { unit: 'runit.service', program: 'runsvdir' },
  'pdns-server': { unit: 'pdns.service', program: 'pdns_server' },
  'openssh-server': { unit: 'ssh.service', program: 'sshd' },
}

/** Program → Debian package, minimum version: the same table that the server and `doctor` check. */
export const PROGRAMS = JSON.parse(
  readFileSync(new URL('../../src/cli/programs.json', import.meta.url), 'utf8'),
)

/** Shared library → Debian package. The pinned Node does not start without the first, and a small Debian has none (tried); the name
 *  server keeps its zones by the second. */
export const LIBRARIES = {
  'libatomic.so.1': 'libatomic1',
  'pdns/libgsqlite3backend.so': 'pdns-backend-sqlite3',
}

export const hasLibrary = (machine, name) =>
  machine.libraries.some((folder) => existsSync(join(folder, name)))

export const findProgram = (machine, name) =>
  machine.folders.map((folder) => join(folder, name)).find((path) => canRun(path))

/** The environment of what is run: found where `findProgram` looks, its messages in English. */
export const environmentOn = (machine) => ({
  ...process.env,
  PATH: machine.folders.join(':'),
  LC_ALL: 'C',
})

function canRun(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Package → links that it leaves behind when it is purged (runit's own maintenance scripts; tried on Debian 12 and 13). */
export const TRACES = { runit: ['/etc/sv/default-syslog/supervise'] }
