// What the configuration makes of a home's own choices, and what speaks against a change of them.
import { configFrom, type Source, type Sources } from './config/file.ts'
import type { Key } from './config/settings.ts'
import { holderOfClaim, LOOPBACK_PORTS } from './home-ports.ts'
import type { HomeSettings } from './home.ts'

/** What a home chose at first start, and a configuration may put something else in place of. */
export type Choices = { ports: { api: number; http: number }; domain: string; cidr: string }

/** What was handed out already, by name. */
export type InUse = { environments: string[]; network: string[] }

/** What a running server says of its configuration, as a member of its status. */
export type ConfigurationStatus = {
  /** Key → what is in force; settings that nobody gives are not there. */
  given: { [key: string]: { value: unknown; source: 'file' | 'flag' } }
  /** Why the file is not followed any more; null when it is. */
  problem: string | null
  inUse: InUse
}

/** What must be asked of the machine and of the home; each problem is the end of a sentence, null = none. */
export type Facts = {
  inUse(): Promise<InUse>
  portProblem(port: number): Promise<string | null>
  cidrProblem(cidr: string): Promise<string | null>
}

export type Machine = Facts & {
  /** Takes the network of the range in force away, with the daemons that live in it. */
  leaveRange(): Promise<void>
}

/** What shall be in force: the configuration's word, else the home's own choice. */
export function choicesOf({ chosen }: Pick<HomeSettings, 'chosen'>, sources: Sources): Choices {
  const { listeners, api, dns, network } = configFrom(sources)
  return {
    ports: { api: api.port ?? chosen.ports.api, http: listeners.http ?? chosen.ports.http },
    domain: dns.domain ?? chosen.domain,
    cidr: network.cidr ?? chosen.cidr,
  }
}

/** Sentences against what `sources` make of a home that has been something else; none when all can be had. */
export async function problemsOf(home: HomeSettings, sources: Sources, facts: Facts): Promise<string[]> {
  const next = choicesOf(home, sources)
  const problems: string[] = []
  const tell = (key: Key, sentence: string) =>
    void problems.push(`${whereOf(sources.get(key), key)} ${sentence}`)

  for (const [key, name, other] of PORTS) {
    const port = next.ports[name]
    if (port === home.ports[name]) continue
    const problem =
      (port === next.ports[other]
        ? `cannot be ${port}: that is ${other === 'api' ? 'api.port' : 'listeners.http'}`
        : null) ??
      loopbackProblem(home, port) ??
      holderProblem(home, port) ??
      (await facts.portProblem(port))
    if (problem !== null) tell(key, problem)
  }
  if (next.domain !== home.domain) {
    const { environments } = await facts.inUse()
    if (environments.length > 0)
      tell(
        'dns.domain',
        `cannot change from ${home.domain} to ${next.domain}: the names of ${listed(environments)} were handed out; terminate them first`,
      )
  }
  if (next.cidr !== home.cidr) {
    const { network } = await facts.inUse()
    const problem =
      network.length > 0
        ? `cannot change from ${home.cidr} to ${next.cidr}: ${listed(network)} have addresses of it; terminate them first`
        : await facts.cidrProblem(next.cidr)
    if (problem !== null) tell('network.cidr', problem)
  }
  return problems
}

const PORTS = [
  ['listeners.http', 'http', 'api'],
  ['api.port', 'api', 'http'],
] as const

const whereOf = (source: Source | undefined, key: Key) => source?.where ?? key

function loopbackProblem({ ports: { environments } }: HomeSettings, port: number): string | null {
  const last = environments + LOOPBACK_PORTS - 1
  if (port < environments || port > last) return null
  return `cannot be ${port}: ${environments} to ${last} are the loopback ports of environments`
}

function holderProblem({ dir }: HomeSettings, port: number): string | null {
  const holder = holderOfClaim(port)
  return holder === null || holder === dir ? null : `cannot be ${port}: it belongs to the home ${holder}`
}

const NAMES_SHOWN = 5
const listed = (names: string[]) =>
  names.slice(0, NAMES_SHOWN).join(', ') +
  (names.length > NAMES_SHOWN ? ` and ${names.length - NAMES_SHOWN} more` : '')
