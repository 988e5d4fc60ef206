// What requests end in: a target group as one load balancer uses it, or an answer of the balancer's own.
import { answerLines, type AnswerSettings } from './answers.ts'
import { actionsOf, targetGroupIdsOf } from './actions.ts'
import { refusals } from './clients.ts'
import type { HeaderTreatment, HealthCheck, Listener, LoadBalancer, TargetGroup } from './engine.ts'
import {
  listenerName,
  type Answer,
  answerName,
  type Backend,
  clientsName,
  digest,
  publicName,
} from './names.ts'
import { loopbackListener, loopbackName } from './own-ports.ts'
import { ownPageLines } from './error-page-lines.ts'
import { requestLogLines, SILENT } from './request-lines.ts'
import { ms, serverKeywords } from './servers.ts'
import { stickyLines } from './stickiness.ts'

export function backendLines(backend: Backend, dir: string): string[] {
  const { name, loadBalancer, group } = backend
  const { healthCheck } = group
  return [
    `# load balancer ${loadBalancer.id}, target group ${group.id}`,
    `backend ${name}`,
    `  balance ${ALGORITHMS[group.routing?.algorithm ?? 'round_robin']}`,
    `  source ${loadBalancer.address}`,
    '  option allbackups',
    ...headerLines(loadBalancer.headers ?? PLAIN).map((line) => `  ${line}`),
    ...letInLines(name, loadBalancer, (listener) => targetGroupIdsOf(listener).includes(group.id), dir),
    ...requestLogLines(loadBalancer).map((line) => `  ${line}`),
    ...ownPageLines(loadBalancer, dir),
    `  timeout server ${loadBalancer.idleTimeoutSeconds}s`,
    `  timeout tunnel ${loadBalancer.idleTimeoutSeconds}s`,
    ...stickyLines(backend, dir),
    ...(healthCheck === null
      ? []
      : checkLines(healthCheck, group, loadBalancer.hosts[0] ?? loadBalancer.address)),
  ]
}

const PLAIN: HeaderTreatment = { forwardedFor: 'append', withClientPort: false, dropsInvalid: false }

/** ELB user guide, "HTTP headers and Application Load Balancers". */
function headerLines({ forwardedFor, withClientPort, dropsInvalid }: HeaderTreatment): string[] {
  const header = 'X-Forwarded-For'
  const drops = dropsInvalid ? ['http-request del-header [^A-Za-z0-9-] -m reg'] : []
  if (forwardedFor === 'preserve') return drops
  if (forwardedFor === 'remove') return [...drops, `http-request del-header ${header}`]
  const append = (client: string) => `http-request replace-header ${header} (.*) "\\1, ${client}"`
  // `option forwardfor if-none` adds the header when there is none.
  if (!withClientPort) return [...drops, append('%[src]'), 'option forwardfor if-none']
  return [
    ...drops,
    'http-request set-var-fmt(txn.client) "%[src]:%[src_port]"',
    'http-request set-var-fmt(txn.client) "[%[src]]:%[src_port]" if { src -m sub : }',
    append('%[var(txn.client)]'),
    `http-request set-header ${header} "%[var(txn.client)]" if !{ req.hdr(${header}) -m found }`,
  ]
}

const ALGORITHMS = {
  round_robin: 'roundrobin',
  least_outstanding_requests: 'leastconn',
  weighted_random: 'random',
}

export function answerBackendLines(answer: Answer, settings: AnswerSettings): string[] {
  const { name, loadBalancer } = answer
  const isOf = (listener: Listener) =>
    actionsOf(listener).some(
      (action) => action.type !== 'forward' && answerName(loadBalancer.id, action) === name,
    )
  return [
    `# load balancer ${loadBalancer.id}, its own answer`,
    `backend ${name}`,
    ...letInLines(name, loadBalancer, isOf, settings.dir),
    ...(loadBalancer.logsRequests ? requestLogLines(loadBalancer) : [SILENT]).map((line) => `  ${line}`),
    ...answerLines(answer, settings),
  ]
}

export const checkLines = (check: HealthCheck, group: TargetGroup, host: string): string[] => [
  `  timeout check ${ms(check.timeoutSeconds)}`,
  ...(check.protocol === 'TCP' ? [] : httpCheckLines(check, host)),
  // The runtime socket adds servers with the same keywords: a change of them is a change of the frame.
  `  default-server ${serverKeywords('settled', group)}`,
]

/**
 * A public socket serves many load balancers: which one is meant is known from the first request on, and its group is
 * asked then. Once for a connection, unless it is to be cut: what is established stays.
 */
function letInLines(
  name: string,
  loadBalancer: LoadBalancer,
  isOf: (listener: Listener) => boolean,
  dir: string,
): string[] {
  const { id, listeners, elasticAddress, cutsOnRevoke, namedPorts = [] } = loadBalancer
  // Rules lead a connection to several backends of a load balancer; behind an elastic address another one is another instance.
  const door = elasticAddress === null ? digest(id, 12) : name
  const known = cutsOnRevoke ? '' : `!{ var(sess.let_in) -m str ${door} } `
  return [
    ...listeners.filter(isOf).flatMap((listener) => {
      const own = loopbackListener(loadBalancer) === listener ? ` ${loopbackName(id)}` : ''
      const map = `${dir}/${clientsName(id, listener.port)}`
      const here = `${known}{ fe_name ${publicName(listener.port)}${own} }`
      // A line has 64 words at most, and named ports may be many more: they say whose they are.
      const named = `${known}{ var(txn.own) -m str ${listenerName(id, listener.port)} }`
      return [
        ...refusals('http-request reject', map, here),
        ...(namedPorts.length > 0 ? refusals('http-request reject', map, named) : []),
      ]
    }),
    ...(cutsOnRevoke ? [] : [`  http-request set-var(sess.let_in) str(${door}) if ${known.trim()}`]),
  ]
}

// Difference from AWS: Host is the balancer's name, where AWS sends the target's own address.
function httpCheckLines({ path, matcher }: HealthCheck, host: string): string[] {
  return [
    '  option httpchk',
    `  http-check send meth GET uri '${path.replaceAll("'", `'\\''`)}' ver HTTP/1.1` +
      ` hdr Host ${host} hdr User-Agent ELB-HealthChecker/2.0 hdr Connection close`,
    `  http-check expect status ${matcher}`,
  ]
}
