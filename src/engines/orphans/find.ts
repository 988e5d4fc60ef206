// What carries the id of a home outside of its folder, from what the machine shows. Pure: `look.ts` reads the machine.

/** All that can be seen, as names and lines; what only root may read is empty for others. */
export type Facts = {
  /** Names below /run/netns, of interfaces, of nft tables (`inet pb_abcdef`), of folders in /run/polebean with the home that each is of. */
  namespaces: string[]
  interfaces: string[]
  tables: string[]
  runFolders: { id: string; home: string | undefined }[]
  /** Folders of cgroups with `/polebean/` in them. */
  cgroups: string[]
  /** Mount points. */
  mounts: string[]
  /** Loop devices and the file behind each. */
  loops: { device: string; file: string }[]
  /** Ids with a block in /etc/hosts. */
  hosts: string[]
  /** Rules of a host's firewall with a comment, wherever they are. */
  accepts: { comment: string; where: Accept }[]
}

export type Accept =
  | { tool: 'nft'; family: string; table: string; chain: string; handle: number }
  | { tool: string; chain: string; rule: string[] }

/** Everything of one id. */
export type Things = {
  id: string
  namespaces: string[]
  interfaces: string[]
  tables: string[]
  cgroups: string[]
  mounts: string[]
  loops: { device: string; file: string }[]
  accepts: Accept[]
  /** Blocks of /etc/hosts. */
  hosts: string[]
  /** The folder of the home, as its run folder remembers it. */
  dir: string | undefined
}

export const ID = /^[a-z0-9]{6}$/
const LEFT_IN_HOME = /^(.+)\/instances\/i-[0-9a-f]{17}\//

/** Things by home id, in the order of ids. Files and claims name no id but a folder, which the run folder remembers. */
export function thingsByHome(facts: Facts): Things[] {
  const found = new Map<string, Things>()
  const of = (id: string | undefined): Things | undefined => {
    if (id === undefined || !ID.test(id)) return undefined
    if (!found.has(id))
      found.set(id, { id, ...nothing(), dir: facts.runFolders.find((one) => one.id === id)?.home })
    return found.get(id)
  }
  for (const name of facts.namespaces)
    of(/^pb-([a-z0-9]{6})(?:-(?:lb|host|t))?$/.exec(name)?.[1])?.namespaces.push(name)
  for (const name of facts.interfaces) of(/^pole([a-z0-9]{6})$/.exec(name)?.[1])?.interfaces.push(name)
  for (const name of facts.tables) of(/^inet pb_([a-z0-9]{6})$/.exec(name)?.[1])?.tables.push(name)
  for (const { id } of facts.runFolders) of(id)
  for (const path of facts.cgroups)
    of(/\/polebean\/([a-z0-9]{6})(?:\/|$)/.exec(path)?.[1])?.cgroups.push(path)
  for (const path of facts.mounts) of(/^\/run\/polebean\/([a-z0-9]{6})\//.exec(path)?.[1])?.mounts.push(path)
  for (const id of facts.hosts) of(id)?.hosts.push(id)
  for (const { comment, where } of facts.accepts)
    of(/^polebean pb-([a-z0-9]{6})$/.exec(comment)?.[1])?.accepts.push(where)
  for (const loop of facts.loops) {
    const dir = LEFT_IN_HOME.exec(loop.file)?.[1]
    for (const things of found.values()) if (dir !== undefined && things.dir === dir) things.loops.push(loop)
  }
  return [...found.values()].sort((one, other) => (one.id < other.id ? -1 : 1))
}

const nothing = () => ({
  namespaces: [],
  interfaces: [],
  tables: [],
  cgroups: [],
  mounts: [],
  loops: [],
  accepts: [],
  hosts: [],
})

/** In words, for `doctor` and for the question before they go. */
export function describeThings(things: Things): string {
  const counted: [number, string][] = [
    [things.namespaces.length, 'namespace'],
    [things.interfaces.length, 'interface'],
    [things.tables.length, 'nft table'],
    // One of version 1 has a folder in each hierarchy.
    [new Set(things.cgroups.map((path) => path.replace(/^.*\/polebean\//, ''))).size, 'cgroup'],
    [things.mounts.length, 'mount'],
    [things.loops.length, 'loop device'],
    [things.accepts.length, 'firewall rule'],
    [things.hosts.length, 'block of /etc/hosts'],
  ]
  const words = counted.flatMap(([count, noun]) =>
    count === 0 ? [] : [`${count} ${noun}${count === 1 ? '' : 's'}`],
  )
  return words.length === 0 ? `/run/polebean/${things.id}` : words.join(', ')
}
