// A machine's names in memory.
import { EngineError } from '../../kernel/errors.ts'
import type { HostsEngine } from './engine.ts'

export type FakeHosts = HostsEngine & {
  names(): string[]
  /** Its names are not asked first: what they lead to elsewhere. */
  elsewhere: string[] | null
  /** The file cannot be written. */
  isStuck: boolean
}

export function makeFakeHosts(): FakeHosts {
  let there: string[] = []
  const hosts: FakeHosts = {
    names: () => there,
    elsewhere: null,
    isStuck: false,
    async put(names) {
      if (hosts.isStuck) throw new EngineError('/etc/hosts cannot be written')
      there = names.toSorted()
    },
    lookup: async (name) => hosts.elsewhere ?? (there.includes(name) ? ['127.0.0.1'] : []),
  }
  return hosts
}
