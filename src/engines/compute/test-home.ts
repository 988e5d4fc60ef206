// A home of its own for a test on real engines, and the proof that nothing of it is left.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../../kernel/clock.ts'
import type { Home } from '../../kernel/home.ts'
import { makeIds } from '../../kernel/ids.ts'
import { silentLog } from '../../kernel/log.ts'
import { run } from '../../kernel/process.ts'
import { systemRandom } from '../../kernel/random.ts'
import { makeNftables } from '../firewall/nftables.ts'
import { usualModel } from '../firewall/test-model.ts'
import { chooseFreeCidr } from '../network/cidr.ts'
import { makeRouter, type Router } from '../network/router.ts'
import { claim } from '../test-claims.ts'
import { makeRunc, type RuncCompute } from './runc.ts'

export type TestHome = {
  home: Home
  router: Router
  /** Beanstalk's defaults for these addresses, and no others, are in force; `ports`: what balancers may open. */
  letIn(instances: string[], balancers: string[], ports?: number[]): Promise<void>
  /** The engine as a new control plane would make it. */
  open(): RuncCompute
  /** Ends everything that was made, whoever made it. */
  destroy(compute: RuncCompute): Promise<void>
}

export async function makeTestHome(): Promise<TestHome> {
  const id = makeIds(systemRandom).lower('', 6)
  const dir = mkdtempSync(`/tmp/pbt ü-${id}-`)
  const unclaim = claim(dir, id)
  const cidr = await chooseFreeCidr(id)
  const runDir = `/run/polebean/${id}`
  const home: Home = {
    id,
    dir,
    runDir,
    idBase: 1_900_000_000,
    cidr,
    ports: { api: 0, http: 0, environments: 0, dns: 0 },
  }
  const router = makeRouter(home)
  const firewall = makeNftables({ clock: systemClock, network: router })
  return {
    home,
    router,
    letIn: (instances, balancers, ports) => firewall.apply(usualModel(instances, balancers, ports)),
    open: () => makeRunc({ home, router, clock: systemClock, log: silentLog, zones: ['a', 'b'] }),
    async destroy(compute) {
      try {
        for (const { id: instance } of await compute.list()) await compute.remove(instance)
        await compute.shutdown(0)
      } finally {
        await router.remove()
        rmSync(dir, { recursive: true, force: true })
        rmSync(runDir, { recursive: true, force: true })
        unclaim()
      }
    },
  }
}

/** Everything on this machine that carries the home's id: empty after `destroy`. */
export async function traces({ home, router }: TestHome): Promise<string[]> {
  const text = async (...argv: string[]) => (await run(argv)).stdout.toString()
  const lines = [
    ...(await text('ip', 'netns')).split('\n'),
    ...(await text('ip', '-o', 'link')).split('\n'),
    ...(await text('ip', 'route')).split('\n'),
    ...(await text('nft', 'list', 'tables')).split('\n'),
    ...(await text('losetup', '-a')).split('\n'),
    ...(await text('find', '/sys/fs/cgroup', '-type', 'd', '-name', home.id)).split('\n'),
    ...readFileSync('/proc/self/mountinfo', 'utf8').split('\n'),
    ...readdirSync('/tmp').map((name) => join('/tmp', name)),
    ...readdirSync('/run/polebean').map((name) => join('/run/polebean', name)),
  ]
  const owned = readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && isOwned(pid, home))
  return [
    ...lines.filter(
      (line) => line.includes(home.id) || line.includes(router.names.uplink) || line.includes(home.cidr),
    ),
    ...owned.map((pid) => `process ${pid}`),
  ]
}

/** By the ids that the home's instances have, or by the cgroup of one of them. */
function isOwned(pid: string, home: Home): boolean {
  try {
    const cgroup = readFileSync(`/proc/${pid}/cgroup`, 'utf8')
    const [state] = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '')
    return cgroup.includes(`/polebean/${home.id}/`) && state !== 'Z' // nothing of a zombie runs
  } catch {
    return false // gone while we looked
  }
}
