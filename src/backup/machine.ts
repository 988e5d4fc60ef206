// Whether this machine can take a home as it is: its id, its ports and its range must be free.
import { existsSync } from 'node:fs'
import { checkPortsFree, loopbackAddresses } from '../engines/balancer/host-ports.ts'
import { conflictsWith, describeConflict, overlaps, readHostRoutes } from '../engines/network/cidr.ts'
import { holderOfClaim, homesHere } from '../home-ports.ts'
import type { HomeSettings } from '../home.ts'
import { reasonOf } from '../kernel/errors.ts'

/** Sentences, each with what can be done; none when all is free. `home.dir` is where it is to be. */
export async function conflictsOf(home: HomeSettings): Promise<string[]> {
  const others = homesHere().filter(({ dir }) => dir !== home.dir)
  const twin = others.find(({ id }) => id === home.id)
  if (twin)
    return [
      `${twin.dir} is this very home (id ${home.id}), and both cannot be on one machine; ` +
        `remove that one first: polebean --home ${twin.dir} down --purge`,
    ]
  if (existsSync(home.runDir))
    return [
      `something of this home (id ${home.id}) is still on this machine: ${home.runDir}; ` +
        'a reboot ends it, or polebean down in the folder where it was',
    ]
  return [
    ...claims(home),
    ...(await listeners(home)),
    ...others
      .filter(({ cidr }) => cidr !== undefined && overlaps(cidr, home.cidr))
      .map(({ dir, cidr }) => `its range ${home.cidr} overlaps ${cidr}, that of the home ${dir}: ${RANGE}`),
    ...conflictsWith(home.cidr, await readHostRoutes(), '').map((route) =>
      describeConflict(home.cidr, route),
    ),
  ]
}

const RANGE = 'its environments keep their addresses, so take it to another machine, or remove that home'
const KINDS = { api: 'API', http: 'HTTP', environments: "environments'" } as const

const claims = ({ dir, ports }: HomeSettings): string[] =>
  (['api', 'http', 'environments'] as const).flatMap((kind) => {
    const holder = holderOfClaim(ports[kind])
    if (holder === null || holder === dir) return []
    const help = kind === 'environments' ? RANGE.replace('addresses', 'ports') : other(kind)
    return `its ${KINDS[kind]} port ${ports[kind]} belongs to the home ${holder}: ${help}`
  })

async function listeners({ ports }: HomeSettings): Promise<string[]> {
  const found: string[] = []
  for (const kind of ['api', 'http'] as const) {
    const addresses = kind === 'api' ? ['127.0.0.1'] : loopbackAddresses()
    await checkPortsFree([ports[kind]], addresses).catch((error: unknown) =>
      found.push(`its ${KINDS[kind]} port: ${reasonOf(error)}: end that, or ${other(kind)}`),
    )
  }
  return found
}

const other = (kind: 'api' | 'http') => `give it another one with --${kind}-port NUMBER`
