// Clients that stay with a target: by a cookie that names it, so that no table is lost with a reload. HAProxy's own cookies are
// not for servers that come over the runtime socket (2.6). A map says which server a cookie means now: none for a target
// that drains or has gone.
import { createHash } from 'node:crypto'
import type { Backend } from './names.ts'
import type { Server } from './servers.ts'

/** Of a backend whose targets' clients stay. */
export const stayMap = (backend: Backend): string => `stay-${backend.name}.map`

export function stayEntries(backend: Backend, servers: Server[]): string {
  return servers
    .filter((server) => server.backend === backend.name && server.role !== 'open')
    .map(({ name }) => `${tokenOf(name)} ${name}\n`)
    .join('')
}

/** Opaque to clients, and the same for a target's servers, which differ in what stands after the point. */
const tokenOf = (server: string) =>
  createHash('sha256').update(server.split('.')[0]!).digest('hex').toUpperCase()
const TOKEN = '%[srv_name,field(1,.),sha2(256),hex]'

export function stickyLines(backend: Backend, dir: string): string[] {
  const { stickiness = null } = backend.group.routing ?? {}
  if (stickiness === null) return []
  const { seconds, applicationCookie: own } = stickiness
  const names = own === null ? ['AWSALB', 'AWSALBCORS'] : ['AWSALBAPP-0']
  // In quotes, since a name may hold what begins a comment.
  const asked = own === null ? '' : ` { 'req.cook(${own})' -m found }`
  const answered = own === null ? '' : ` if { 'res.cook(${own})' -m found }`
  return [
    ...names.map(
      (name) =>
        `  http-request set-var(txn.stay) req.cook(${name}),map(${dir}/${stayMap(backend)}) if !{ var(txn.stay) -m found }${asked}`,
    ),
    '  use-server %[var(txn.stay)] if { var(txn.stay) -m found }',
    // Browsers drop a cookie for other sites' pages that is not for HTTPS alone.
    "  http-request set-var-fmt(txn.secure) '; Secure' if { req.hdr(x-forwarded-proto) -m str https }",
    ...names.map((name) => {
      const same = name.endsWith('CORS') ? '; SameSite=None%[var(txn.secure)]' : ''
      return `  http-response add-header Set-Cookie '${name}=${TOKEN}; Expires=%[date(${seconds}),http_date]; Path=/${same}'${answered}`
    }),
  ]
}
