// What lies in an instance's file system besides the host's programs, as values: written below the writable layer.
import { createHash } from 'node:crypto'
import { EngineError } from '../../kernel/errors.ts'
import type { Software } from './engine.ts'
import { initScript } from './init-script.ts'

export type Owner = 'root' | 'webapp' | 'root:webapp'
export type Entry =
  | { kind: 'directory'; path: string; mode: number; owner: Owner }
  | { kind: 'file'; path: string; mode: number; owner: Owner; content: string }
  | { kind: 'link'; path: string; to: string }

/** User and group inside. */
export const OWNER_IDS: Record<Owner, [number, number]> = {
  root: [0, 0],
  webapp: [900, 900],
  'root:webapp': [0, 900],
}

/** Folders with a writable layer of their own, which starts empty with each deployment; `/` keeps its. */
export const FRESH_ROOTS = ['/etc', '/opt/elasticbeanstalk']

export type TreeInput = {
  address: string | null
  env: Software['env']
  files: Software['files']
  /** What else must be there, such as links to the host's programs and the places of mounts. */
  extra: Entry[]
}

/** Every folder and file of an instance or a build sandbox, parents first; `/usr` and the like are mounts. */
export function guestTree({ address, env, files, extra }: TreeInput): Entry[] {
  const entries = new Map<string, Entry>()
  const put = (entry: Entry) => {
    for (let parent = parentOf(entry.path); parent !== '/'; parent = parentOf(parent))
      if (!entries.has(parent))
        entries.set(parent, { kind: 'directory', path: parent, mode: 0o755, owner: 'root' })
    entries.set(entry.path, entry)
  }
  for (const entry of [...skeleton(address), ...environment(env), ...files.map(fileEntry)]) put(entry)
  for (const entry of extra) if (!entries.has(checkPath(entry.path))) put(entry)
  return [...entries.values()].sort((a, b) => (a.path < b.path ? -1 : 1))
}

export const hostnameOf = (address: string): string => `ip-${address.replaceAll('.', '-')}`

/** A short name for a path or digest that fits a folder name. */
export const shortHash = (text: string): string =>
  createHash('sha256').update(text).digest('hex').slice(0, 16)

/** An absolute path without `.`, `..`, doubled slashes, or bytes that a mount table cannot carry. */
export function checkPath(path: string): string {
  const clean = path.startsWith('/') && !/[\0-\x1f]/.test(path) && path.length < 1_000
  if (
    !clean ||
    path
      .slice(1)
      .split('/')
      .some((part) => part === '' || part === '.' || part === '..')
  )
    throw new EngineError(`not a path inside an instance: ${JSON.stringify(path)}`)
  return path
}

function skeleton(address: string | null): Entry[] {
  const file = (path: string, content: string, mode = 0o644): Entry => ({
    kind: 'file',
    path,
    content,
    mode,
    owner: 'root',
  })
  const host = address ? `${address} ${hostnameOf(address)}\n` : ''
  return [
    ...[
      '/dev',
      '/proc',
      '/run',
      '/sys',
      '/usr',
      '/etc/service',
      '/etc/ssl/certs',
      '/etc/alternatives',
      '/opt',
    ].map((path) => directory(path)),
    ...['/home', '/srv', '/media', '/mnt', '/var/app', '/var/lib', '/var/cache', '/var/log/nginx'].map(
      (path) => directory(path),
    ),
    directory('/root', 0o700),
    directory('/tmp', 0o1777),
    directory('/var/tmp', 0o1777),
    directory('/home/webapp', 0o700, 'webapp'),
    directory('/var/lib/nginx', 0o755, 'webapp'),
    directory('/var/app/staging', 0o755, 'webapp'),
    { kind: 'link', path: '/var/run', to: '/run' },
    { kind: 'link', path: '/var/lock', to: '/run/lock' },
    { kind: 'link', path: '/etc/os-release', to: '../usr/lib/os-release' },
    { kind: 'link', path: '/etc/localtime', to: '/usr/share/zoneinfo/Etc/UTC' },
    { kind: 'link', path: '/etc/mtab', to: '/proc/self/mounts' },
    file('/etc/timezone', 'Etc/UTC\n'),
    file('/etc/passwd', PASSWD),
    file('/etc/group', GROUP),
    file('/etc/shadow', 'root:*:19000::::::\nwebapp:!:19000::::::\n', 0o600),
    file('/etc/hosts', `127.0.0.1 localhost\n${host}`),
    file('/etc/hostname', address ? `${hostnameOf(address)}\n` : 'localhost\n'),
    file('/etc/resolv.conf', 'nameserver 169.254.169.253\noptions timeout:2 attempts:3\n'),
    file(
      '/etc/nsswitch.conf',
      'passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nservices: files\nprotocols: files\n',
    ),
    file('/etc/polebean/init', initScript, 0o755),
  ]
}

// runit's `chpst -e` reads one file per variable: its first line, where a NUL byte stands for a line break.
function environment(env: Record<string, string>): Entry[] {
  const variables = Object.entries(env).map(([name, value]): Entry => {
    if (!/^[A-Za-z_][A-Za-z0-9_.:+@-]{0,254}$/.test(name))
      throw new EngineError(`not a variable name: ${JSON.stringify(name)}`)
    const content = `${value.replaceAll('\0', '').replaceAll('\n', '\0')}\n`
    return { kind: 'file', path: `/etc/polebean/env/${name}`, mode: 0o644, owner: 'root', content }
  })
  const whole = Object.entries(env).map(([name, value]) => `${name}=${value}\n`)
  return [
    // Readable through the folder's group only: webapp may, another user of the instance may not.
    { kind: 'directory', path: '/etc/polebean/env', mode: 0o750, owner: 'root:webapp' },
    ...variables,
    {
      kind: 'file',
      path: '/opt/elasticbeanstalk/deployment/env',
      mode: 0o600,
      owner: 'root',
      content: whole.join(''),
    },
  ]
}

export const directory = (path: string, mode = 0o755, owner: Owner = 'root'): Entry => ({
  kind: 'directory',
  path,
  mode,
  owner,
})

const fileEntry = (file: Software['files'][number]): Entry => ({
  kind: 'file',
  path: checkPath(file.path),
  content: file.content,
  mode: file.mode & 0o777,
  owner: file.owner,
})

const parentOf = (path: string) => path.slice(0, path.lastIndexOf('/')) || '/'

const PASSWD = `root:x:0:0:root:/root:/bin/bash
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin
webapp:x:900:900:webapp:/home/webapp:/bin/bash
nginx:x:901:901:nginx:/var/lib/nginx:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
`
const GROUP = `root:x:0:
daemon:x:1:
adm:x:4:
tty:x:5:
www-data:x:33:
webapp:x:900:
nginx:x:901:
nogroup:x:65534:
`
