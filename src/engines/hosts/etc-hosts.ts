// A block of /etc/hosts (hosts(5)) for each home. Where that file is mounted by itself, as in containers, it is written in place.
import { lookup } from 'node:dns/promises'
import { realpathSync, writeFileSync } from 'node:fs'
import { type Clock, withTimeout } from '../../kernel/clock.ts'
import { EngineError, reasonOf } from '../../kernel/errors.ts'
import { readFileIfAny, writeFileAtomic } from '../../kernel/files.ts'
import type { HostsEngine } from './engine.ts'

export const ETC_HOSTS = '/etc/hosts'
const LOOKUP_MS = 10_000
const ADDRESSES = ['127.0.0.1', '::1']
const NAME = /^[a-z0-9_]([a-z0-9._-]{0,251}[a-z0-9_])?$/

type Options = { clock: Clock; id: string; path?: string }

export function makeEtcHosts({ clock, id, path = ETC_HOSTS }: Options): HostsEngine {
  return {
    async put(names) {
      const wrong = names.find((name) => !NAME.test(name))
      if (wrong !== undefined) throw new EngineError(`'${wrong.slice(0, 300)}' is no name for ${path}`)
      putBlock(id, names, path)
    },
    async lookup(name) {
      try {
        // getaddrinfo, as programs ask.
        const found = await withTimeout(clock, LOOKUP_MS, `lookup of ${name}`, () =>
          lookup(name, { all: true }),
        )
        return found.map(({ address }) => address)
      } catch (error) {
        if (['ENOTFOUND', 'ENODATA'].includes((error as NodeJS.ErrnoException).code ?? '')) return []
        throw new EngineError(`${name} cannot be looked up: ${reasonOf(error)}`)
      }
    },
  }
}

/** Writes nothing when it is so already. */
export function putBlock(id: string, names: string[], path = ETC_HOSTS): void {
  try {
    const file = readFileIfAny(path) === undefined ? path : realpathSync(path)
    const before = readFileIfAny(file) ?? ''
    const after = withBlock(before, id, names)
    if (after === before) return
    try {
      writeFileAtomic(file, after, 0o644)
    } catch (error) {
      if (!['EBUSY', 'EXDEV', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
      writeFileSync(file, after)
    }
  } catch (error) {
    throw new EngineError(`${path} cannot be written: ${reasonOf(error)}`, { cause: error })
  }
}

const begin = (id: string) => `# begin polebean ${id}: names of its environments, written by its server`
const end = (id: string) => `# end polebean ${id}`

/** The text with the block of a home as it is to be; without names it has none. Pure. */
export function withBlock(text: string, id: string, names: string[]): string {
  const lines = text === '' ? [] : text.replace(/\n$/, '').split('\n')
  const kept: string[] = []
  let isInside = false
  for (const line of lines) {
    if (line.startsWith(`# begin polebean ${id}:`)) isInside = true
    else if (isInside && line === end(id)) isInside = false
    // A block whose end somebody took away ends where another one begins, or a line that is none of ours.
    else if (isInside && !isOurs(line)) {
      isInside = false
      kept.push(line)
    } else if (!isInside) kept.push(line)
  }
  const own = names.toSorted().flatMap((name) => ADDRESSES.map((address) => `${address} ${name}`))
  const all = own.length === 0 ? kept : [...kept, begin(id), ...own, end(id)]
  return all.length === 0 ? '' : `${all.join('\n')}\n`
}

const isOurs = (line: string) => ADDRESSES.some((address) => line.startsWith(`${address} `))

/** Ids of homes that have a block. */
export const idsIn = (text: string): string[] =>
  [...text.matchAll(/^# begin polebean ([a-z0-9]{6}):/gm)].map(([, id]) => id!)
