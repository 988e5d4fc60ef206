// `ip` and `nft`, inside a named namespace or outside of any. Many commands are one process.
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs'
import { run, runOk } from '../../kernel/process.ts'

export const namespacePath = (name: string): string => `/run/netns/${name}`

/** argv that runs `argv` in the network namespace `name`; only the network changes, unlike with `ip netns exec`. */
export const inNamespace = (name: string, argv: string[]): string[] => [
  'nsenter',
  `--net=${namespacePath(name)}`,
  '--',
  ...argv,
]

/** Runs `ip` commands in order; stops at the first that fails and throws it. */
export async function ip(namespace: string | null, commands: string[]): Promise<void> {
  await runOk(['ip', ...(namespace ? ['-n', namespace] : []), '-batch', '-'], {
    stdin: commands.join('\n') + '\n',
  })
}

export async function ipJson<T>(namespace: string | null, words: string[]): Promise<T[]> {
  const text = await runOk(['ip', ...(namespace ? ['-n', namespace] : []), '-j', ...words])
  return text.trim() === '' ? [] : (JSON.parse(text) as T[]) // some empty answers are no JSON at all
}

/** Applies rules as one transaction: all of them or none. */
export async function nft(namespace: string | null, rules: string): Promise<void> {
  const argv = ['nft', '-f', '-']
  await runOk(namespace ? inNamespace(namespace, argv) : argv, { stdin: rules })
}

/** Is the name a living namespace? After a reboot with a /run on disk, a name is left that is only a file. */
export const hasNamespace = (name: string): boolean =>
  readFileSync('/proc/self/mountinfo', 'utf8').includes(` ${namespacePath(name)} `)

/** Tells a namespace from a later one of the same name; undefined when there is none. */
export const namespaceOf = (name: string): number | undefined =>
  statSync(namespacePath(name), { throwIfNoEntry: false })?.ino

/** Whether a living process is in another namespace than the one that has the name now, or the name is gone. */
export function isElsewhere(pid: number, name: string): boolean {
  const own = statSync(`/proc/${pid}/ns/net`, { throwIfNoEntry: false })
  return own !== undefined && own.ino !== namespaceOf(name)
}

export async function ensureNamespace(name: string): Promise<'made' | 'was there'> {
  if (hasNamespace(name)) return 'was there'
  rmSync(namespacePath(name), { force: true })
  await runOk(['ip', 'netns', 'add', name])
  return 'made'
}

/** Names the namespace that this process is in. */
export async function ensureNamespaceName(name: string): Promise<void> {
  if (hasNamespace(name)) return
  rmSync(namespacePath(name), { force: true })
  await runOk(['ip', 'netns', 'attach', name, String(process.pid)])
}

export async function removeNamespace(name: string): Promise<void> {
  if (hasNamespace(name)) await runOk(['ip', 'netns', 'del', name])
  else if (existsSync(namespacePath(name))) rmSync(namespacePath(name), { force: true })
}

/**
 * Settings of a namespace's own network: file below /proc/sys/net → value. That folder shows each process the settings of
 * the namespace it is in. (`sysctl` is in a package of its own, which slim systems lack.)
 */
export async function setNetwork(namespace: string, settings: Record<string, string>): Promise<void> {
  for (const [value, files] of Map.groupBy(Object.entries(settings), ([, value]) => value))
    await runOk(inNamespace(namespace, ['tee', ...files.map(([file]) => `/proc/sys/net/${file}`)]), {
      stdin: value,
    })
}

/** A kernel that was started with `ipv6.disable=1` has no such settings. */
export const hasIpv6 = (): boolean => existsSync('/proc/sys/net/ipv6/conf')

/** Removes a link; quiet when it is not there. */
export async function removeLink(namespace: string | null, name: string): Promise<void> {
  await run(['ip', ...(namespace ? ['-n', namespace] : []), 'link', 'del', name])
}
