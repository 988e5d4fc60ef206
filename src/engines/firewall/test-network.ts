// A router with hosts for tests of the real firewall: what would be instances, a load balancer, and somebody outside.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readlinkSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { systemClock as clock } from '../../kernel/clock.ts'
import type { Home } from '../../kernel/home.ts'
import { makeIds } from '../../kernel/ids.ts'
import { run, runOk } from '../../kernel/process.ts'
import { systemRandom } from '../../kernel/random.ts'
import { chooseFreeCidr } from '../network/cidr.ts'
import { makeRouter } from '../network/router.ts'
import { claim } from '../test-claims.ts'
import { makeNftables } from './nftables.ts'
import type { HostOrder } from './test-host.ts'

export type TestHost = { address: string; pid: number; ask(order: HostOrder): Promise<string> }
export type TestNetwork = Awaited<ReturnType<typeof makeTestNetwork>>

const OUTSIDE = { host: '198.18.77.1', address: '198.18.77.2' }

/** `instances` hosts with addresses 1.1, 1.2, …, one balancer with 1.200, one outside. Close it, also when a test failed. */
export async function makeTestNetwork(instances: number) {
  const id = makeIds(systemRandom).lower('', 6)
  const dir = mkdtempSync(`/tmp/pbt-${id}-`)
  const unclaim = claim(dir, id)
  const cidr = await chooseFreeCidr(id)
  const runDir = `/run/polebean/${id}`
  mkdirSync(runDir, { recursive: true })
  const home: Home = { id, dir, runDir, idBase: 0, cidr, ports: { api: 0, http: 0, environments: 0, dns: 0 } }
  const router = makeRouter(home)
  const place = (number: number) => cidr.replace(/0\.0\/16$/, `1.${number}`)
  const outsideName = `pbt-${id}`
  const children: ChildProcess[] = []

  const start = (address: string, ...prefix: string[]): TestHost => {
    const node = [process.execPath, '--disable-warning=ExperimentalWarning']
    const [file = '', ...args]: string[] = [...prefix, ...node, join(import.meta.dirname, 'test-host.ts')]
    const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    children.push(child)
    const waiting = new Map<number, PromiseWithResolvers<string>>()
    let count = 0
    child.on('exit', () => waiting.forEach((one) => one.reject(new Error('a host of the test has ended'))))
    createInterface({ input: child.stdout }).on('line', (line) => {
      const { number, said } = JSON.parse(line) as { number: number; said: string }
      waiting.get(number)?.resolve(said)
      waiting.delete(number)
    })
    return {
      address,
      pid: child.pid!,
      ask: (order) => {
        const answer = Promise.withResolvers<string>()
        waiting.set(++count, answer)
        child.stdin.write(`${JSON.stringify({ number: count, order })}\n`)
        return answer.promise
      },
    }
  }

  const close = async () => {
    for (const child of children) child.kill('SIGKILL')
    await router.remove()
    await run(['ip', 'netns', 'del', outsideName])
    rmSync(dir, { recursive: true, force: true })
    rmSync(runDir, { recursive: true, force: true })
    unclaim()
  }

  const memberOf = (number: number) => ({
    id: `i-${number.toString(16).padStart(17, '0')}`,
    address: place(number),
  })

  try {
    await router.ensure()
    await runOk(['ip', 'netns', 'add', outsideName])
    const link = `o${id}`
    await runOk(['ip', 'link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', outsideName])
    await runOk(['ip', 'addr', 'add', `${OUTSIDE.host}/30`, 'dev', link])
    await runOk(['ip', 'link', 'set', link, 'up'])
    await runOk(['ip', '-n', outsideName, 'addr', 'add', `${OUTSIDE.address}/30`, 'dev', 'eth0'])
    await runOk(['ip', '-n', outsideName, 'link', 'set', 'eth0', 'up'])
    await runOk(['ip', '-n', outsideName, 'route', 'add', 'default', 'via', OUTSIDE.host])
    // The host forwards what comes back only where it has been told so, when its forwarding is ours.
    await runOk(['tee', `/proc/sys/net/ipv4/conf/${link}/forwarding`], { stdin: '1' })

    const hosts: TestHost[] = []
    for (let number = 1; number <= instances; number++) {
      const host = start(place(number), 'unshare', '--net')
      // The child has the parent's namespace for a moment.
      while (readlinkSync(`/proc/${host.pid}/ns/net`) === readlinkSync('/proc/self/ns/net'))
        await clock.sleep(5)
      await router.attach(memberOf(number), host.pid)
      hosts.push(host)
    }
    const balancerAddress = place(200)
    await router.ensureBalancerAddresses([balancerAddress])
    const balancer = start(balancerAddress, ...router.execIn(router.names.balancer, []))
    const outside = start(OUTSIDE.address, ...router.execIn(outsideName, []))
    return {
      home,
      router,
      hosts,
      balancer,
      outside,
      place,
      engine: () => makeNftables({ clock, network: router }),
      /** nft inside the router, as somebody would who is at it by hand. */
      nft: (...words: string[]) => runOk(router.execIn(router.names.router, ['nft', ...words])),
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}
