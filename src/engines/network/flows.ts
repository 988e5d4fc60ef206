// How many connections the router remembers for one instance. The kernel remembers a number of them in each namespace, and
// drops every packet of a new one when it is reached: without a limit of its own, one instance could silence all others, and
// the host behind the router. AWS has such an allowance for each instance type, too (`conntrack_allowance_exceeded`).
import { readFileSync } from 'node:fs'
import { run } from '../../kernel/process.ts'
import { inNamespace } from './ip.ts'
import { countingRule } from './ruleset.ts'

/** A sixteenth of what is remembered at all, within sense. */
export const flowsMaxOf = (remembered: number): number =>
  Math.min(32_768, Math.max(2_048, Math.floor(remembered / 16)))

/** What the kernel remembers in one namespace (nf_conntrack-sysctl); its least default while it does not say. */
export function readRemembered(): number {
  try {
    return Number(readFileSync('/proc/sys/net/netfilter/nf_conntrack_max', 'utf8')) || LEAST
  } catch {
    return LEAST // the module is not loaded yet
  }
}
const LEAST = 65_536

/** Whether this kernel has nft_connlimit; nothing is changed. */
export async function countsFlows(namespace: string): Promise<boolean> {
  const stdin = `table inet polebean_probe {
  set flows { type ipv4_addr; size 65535; flags dynamic; }
  chain flows { type filter hook prerouting priority mangle; ${countingRule(1)}; }
}
`
  return (await run(inNamespace(namespace, ['nft', '--check', '-f', '-']), { stdin })).exit === 0
}

/**
 * A connection that has ended is remembered for two minutes by default: whoever opens one for each request would reach the
 * limit with 140 a second. What comes late within one machine comes within less.
 */
export const CLOSED_SECONDS = { 'netfilter/nf_conntrack_tcp_timeout_time_wait': '30' }
