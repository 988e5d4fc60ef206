// The server-state file: what HAProxy believes of its servers when it starts (management.txt, `show servers state`).
// Without a line a server starts UP; so every checked server has one, and one that is new is DOWN.
import type { Server } from './servers.ts'
import type { RunningServer } from './running.ts'

export function renderServerState(servers: Server[], running: RunningServer[]): string {
  const keyOf = ({ backend, name }: { backend: string; name: string }) => `${backend} ${name}`
  const known = new Map(running.map((server) => [keyOf(server), server]))
  const lines = servers
    .filter((server) => server.role !== 'open') // those are as their configuration line says
    .map((server) => {
      const now = known.get(keyOf(server))
      const isKept = now && !now.maintenance && !now.draining
      return (isKept ? asConfigured(now.state, server) : downState(server)).join(' ')
    })
  return [FORMAT, HEADER, ...lines, ''].join('\n')
}

/** Equal unless a server went up or down: counts and ages of checks change all the time. */
export function gistOf(state: string): string {
  return state
    .split('\n')
    .map((line) => line.split(' ').slice(3, 9).join(' '))
    .join('\n')
}

// What the file says of TLS and of the port of checks would hold, whatever the configuration says now (seen with 2.6).
const asConfigured = (state: string[], { tls }: Server): string[] =>
  state.map((field, index) =>
    index === SRV_USE_SSL ? (tls ? '1' : '0') : index === SRV_CHECK_PORT ? '0' : field,
  )
const SRV_USE_SSL = 20
const SRV_CHECK_PORT = 21

const FORMAT = '1'
const HEADER =
  '# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight ' +
  'srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state ' +
  'bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr ' +
  'srv_agent_addr srv_agent_port'

// Stopped, no admin state, weight 1; check: unknown result, health 0, configured and enabled.
function downState({ backend, name, target, tls }: Server): string[] {
  const line = `0 ${backend} 0 ${name} ${target.address} 0 0 1 1 0 1 0 0 6 0 0 0 - ${target.port} - ${tls ? 1 : 0} 0 - - 0`
  return line.split(' ')
}
