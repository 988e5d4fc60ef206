// Hosts of a test: a process in a network namespace that serves an echo on ports and opens connections when it is told to.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { HostOrder } from '../../src/engines/firewall/test-host.ts'
import type { HomeSettings } from '../../src/home.ts'
import { root, runProgram } from './home.ts'
import { sandboxes } from './world.ts'

export type Host = { ask(order: HostOrder): Promise<string>; close(): void }

/** `prefix`: argv that enters the namespace and runs what follows; empty = this machine itself. Close it. */
export function openHost(prefix: string[]): Host {
  const script = join(root, 'src/engines/firewall/test-host.ts')
  const argv: string[] = [...prefix, process.execPath, '--disable-warning=ExperimentalWarning', script]
  const [file = '', ...args] = argv
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const waiting = new Map<number, PromiseWithResolvers<string>>()
  let count = 0
  child.on('exit', () => waiting.forEach((one) => one.reject(new Error('a host of the test has ended'))))
  child.stdin.on('error', () => undefined)
  createInterface({ input: child.stdout }).on('line', (line) => {
    const { number, said } = JSON.parse(line) as { number: number; said: string }
    waiting.get(number)?.resolve(said)
    waiting.delete(number)
  })
  return {
    ask(order) {
      const answer = Promise.withResolvers<string>()
      waiting.set(++count, answer)
      child.stdin.write(`${JSON.stringify({ number: count, order })}\n`)
      return answer.promise
    },
    close: () => void child.kill('SIGKILL'),
  }
}

/** In the network of an instance that runs, with none of its limits: as its kernel would. */
export function inNetworkOf(home: HomeSettings, instanceId: string): string[] {
  const sandbox = sandboxes(home).find((one) => one.id === instanceId)
  if (!sandbox) throw new Error(`${instanceId} does not run`)
  return ['nsenter', '-t', String(sandbox.pid), '-n']
}

export const inNamespace = (name: string): string[] => ['nsenter', `--net=/run/netns/${name}`]

export type Outside = { prefix: string[]; address: string; hostAddress: string; remove(): Promise<void> }

/** A machine outside of the home, which sends what is for the home's range to this one. Remove it before the home. */
export async function makeOutside({ id, cidr }: HomeSettings): Promise<Outside> {
  const name = `pb-${id}-t` // of those that the sweep after a killed test removes
  const link = `pbt${id}`
  const [hostAddress, address] = ['198.18.77.1', '198.18.77.2']
  const ok = async (words: string) => {
    const { status, stderr } = await runProgram(words.split(' '))
    if (status !== 0) throw new Error(`${words}: ${stderr}`)
  }
  await ok(`ip netns add ${name}`)
  await ok(`ip link add ${link} type veth peer name eth0 netns ${name}`)
  await ok(`ip addr add ${hostAddress}/30 dev ${link}`)
  await ok(`ip link set ${link} up`)
  await ok(`ip -n ${name} addr add ${address}/30 dev eth0`)
  await ok(`ip -n ${name} link set lo up`)
  await ok(`ip -n ${name} link set eth0 up`)
  await ok(`ip -n ${name} route add default via ${hostAddress}`)
  await ok(`ip -n ${name} route add ${cidr} via ${hostAddress}`)
  // What comes back is forwarded only where it has been told so, when this machine's forwarding is the home's doing.
  await runProgram(['tee', `/proc/sys/net/ipv4/conf/${link}/forwarding`], { stdin: '1' })
  return {
    ...{ prefix: inNamespace(name), address, hostAddress },
    remove: async () => void (await runProgram(['ip', 'netns', 'del', name])),
  }
}
