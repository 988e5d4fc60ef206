// The runtime commands of each action (management.txt §9.3; HAProxy 2.6: no `wait`, no `init-state`).
import { serverKeywords } from './servers.ts'
import type { Action } from './plan.ts'

/** The line to send, and what HAProxy may say to it besides nothing. */
export function commandOf({ what, backend, name, role, target }: Action): { line: string; quiet?: RegExp } {
  const server = `${backend.name}/${name}`
  switch (what) {
    case 'add': {
      if (!role || !target) throw new TypeError('nothing to add')
      const keywords = serverKeywords(role, backend.group)
      // Dynamic servers keep no connection open unless told, which costs three quarters of the speed (measured).
      const add = `add server ${server} ${target.address}:${target.port} ${keywords} pool-max-conn -1 pool-purge-delay 5s`
      const quiet = /^New server registered\.$/
      return role === 'open' ? { line: add, quiet } : { line: `${add} weight 0; ${comeDown(server)}`, quiet }
    }
    case 'revive':
      return role === 'open'
        ? { line: `set server ${server} state ready` }
        : { line: `set server ${server} weight 0; ${comeDown(server)}` }
    case 'drain':
      return { line: `set server ${server} state drain` }
    case 'ready':
    case 'open':
      return { line: `set server ${server} state ready` }
    case 'leave':
      return { line: `set server ${server} state maint` }
    case 'retire':
      return { line: `set server ${server} state maint; shutdown sessions server ${server}` }
    case 'delete':
      return { line: `del server ${server}`, quiet: /^Server deleted\.$/ }
  }
}

// `enable server` makes it UP at once, though nobody has asked it yet (measured on 2.6): so it has no weight until it is
// DOWN, from where only its own checks bring it UP.
const comeDown = (server: string) =>
  `enable health ${server}; set server ${server} state ready; set server ${server} health down; set server ${server} weight 1`
