// Looks at this machine for what homes have outside of their folders. Changes nothing; what only root may read is left out
// for others.
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { readFileIfAny } from '../../kernel/files.ts'
import { run } from '../../kernel/process.ts'
import { ETC_HOSTS, idsIn } from '../hosts/etc-hosts.ts'
import { readRuleset } from '../network/foreign-chains.ts'
import { daemonsIn } from '../supervisor/cgroup.ts'
import { ID, type Facts } from './find.ts'

export const RUN = '/run/polebean'

export async function lookForThings(): Promise<Facts> {
  const root = process.getuid!() === 0
  return {
    namespaces: list('/run/netns'),
    interfaces: list('/sys/class/net'),
    tables: root ? await tables() : [],
    runFolders: list(RUN).map((id) => ({
      id,
      home: linkOf(join(RUN, id, 'compute/home')) ?? supervisedOf(id),
    })),
    cgroups: cgroups(),
    mounts: fieldsOf('/proc/self/mountinfo').map((fields) => fields[4] ?? ''),
    loops: list('/sys/block').flatMap((name) => {
      const file = readFileIfAny(`/sys/block/${name}/loop/backing_file`)?.trim()
      return file ? [{ device: `/dev/${name}`, file }] : []
    }),
    hosts: idsIn(readFileIfAny(ETC_HOSTS) ?? ''),
    accepts: root ? [...(await nftAccepts()), ...(await iptablesAccepts())] : [],
  }
}

/** Nothing where there is no such folder, or only root may look into it. */
export function list(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if (['ENOENT', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return []
    throw error
  }
}

const fieldsOf = (file: string): string[][] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => line.split(' '))

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}

/** The home whose daemons run in the cgroup of the id: runsvdir's second word is a folder of it. */
function supervisedOf(id: string): string | undefined {
  for (const pid of ID.test(id) ? daemonsIn(id) : []) {
    const [program, , folder = ''] = (readFileIfAny(`/proc/${pid}/cmdline`) ?? '').split('\0')
    if (program === 'runsvdir' && folder.endsWith('/supervise')) return dirname(folder)
  }
  return undefined
}

/** Folders `polebean/…` of every hierarchy, the deepest first. */
function cgroups(): string[] {
  const roots = fieldsOf('/proc/self/mountinfo').flatMap((fields) =>
    fields.includes('cgroup') || fields.includes('cgroup2') ? (fields[4] ?? []) : [],
  )
  return [...new Set(roots)].flatMap((root) => {
    const base = join(root, 'polebean')
    if (!existsSync(base)) return []
    const below = readdirSync(base, { recursive: true, withFileTypes: true })
    return below
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name))
      .sort((one, other) => other.split('/').length - one.split('/').length)
  })
}

async function tables(): Promise<string[]> {
  const { stdout } = await run(['nft', 'list', 'tables'])
  return stdout
    .toString()
    .split('\n')
    .map((line) => line.replace(/^table /, ''))
}

async function nftAccepts(): Promise<Facts['accepts']> {
  return (await readRuleset()).flatMap(({ rule }) => {
    if (rule?.comment === undefined) return []
    const { family, table, chain, handle, comment } = rule
    return [{ comment, where: { tool: 'nft' as const, family, table, chain, handle } }]
  })
}

// Written with a comment of iptables' own. A variant is asked only where its table is in use: asking would load it.
async function iptablesAccepts(): Promise<Facts['accepts']> {
  const legacy = (readFileIfAny('/proc/net/ip_tables_names') ?? '').split('\n').includes('filter')
  const newer = /^table ip filter$/m.test((await run(['nft', 'list', 'tables', 'ip'])).stdout.toString())
  const found: Facts['accepts'] = []
  for (const tool of [...(legacy ? ['iptables-legacy'] : []), ...(newer ? ['iptables-nft'] : [])]) {
    if (!existsSync(`/usr/sbin/${tool}`)) continue
    const { stdout } = await run([tool, '-w', '-S'])
    for (const line of stdout.toString().split('\n')) {
      const [, chain = '', rule = ''] = /^-A (\S+) (.*)$/.exec(line) ?? []
      const comment = /--comment "(polebean pb-[a-z0-9]{6})"/.exec(rule)?.[1]
      if (comment !== undefined) found.push({ comment, where: { tool, chain, rule: wordsOf(rule) } })
    }
  }
  return found
}

/** Words as iptables prints them: those with a space in double quotes. */
const wordsOf = (rule: string): string[] =>
  [...rule.matchAll(/"([^"]*)"|(\S+)/g)].map(([, inQuotes, bare]) => inQuotes ?? bare ?? '')
