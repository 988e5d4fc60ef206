// Nothing of a model reaches a configuration line or the runtime socket before it has been checked here (design §7).
import { isIPv4 } from 'node:net'
import { EngineError } from '../../kernel/errors.ts'
import { actionsOf, targetGroupIdsOf } from './actions.ts'
import { parsed } from './certificates.ts'
import { isRange } from './clients.ts'
import { isPage } from './error-pages.ts'
import { isChallenge } from './engine.ts'
import type {
  Action,
  BalancerModel,
  Condition,
  HealthCheck,
  LoadBalancer,
  TargetGroup,
  TargetGroupRouting,
} from './engine.ts'

/** Throws an EngineError that names the first thing which cannot be carried. */
export function checkModel(model: BalancerModel): void {
  unique(
    'load balancer',
    model.loadBalancers.map(({ id }) => id),
  )
  unique(
    'target group',
    model.targetGroups.map(({ id }) => id),
  )
  checkCertificates(model)
  for (const one of model.challenges ?? []) need(isChallenge(one), 'challenge', 'path or body', one.path)
  unique(
    'challenge',
    (model.challenges ?? []).map(({ path }) => path),
  )
  for (const loadBalancer of model.loadBalancers) checkLoadBalancer(loadBalancer)
  checkNetwork(model)
  for (const group of model.targetGroups) checkTargetGroup(group)
  unique(
    'address',
    model.loadBalancers.flatMap(({ address, elasticAddress }) => (elasticAddress === null ? [address] : [])),
  )
  unique(
    'elastic address',
    model.loadBalancers.flatMap(({ elasticAddress }) => elasticAddress ?? []),
  )
  unique(
    'loopback port',
    model.loadBalancers.flatMap(({ loopbackPort, namedPorts = [] }) => [
      ...(loopbackPort === null ? [] : [loopbackPort]),
      ...namedPorts.map(({ port }) => port),
    ]),
  )
  unique(
    'host name',
    model.loadBalancers.flatMap(({ hosts }) => hosts),
  )
}

function checkLoadBalancer({
  id,
  address,
  elasticAddress,
  hosts,
  loopbackPort,
  namedPorts = [],
  idleTimeoutSeconds,
  queueSeconds = 0,
  headers,
  page,
  listeners,
}: LoadBalancer) {
  const of = `load balancer ${checkId(id)}`
  need(isIPv4(address), of, 'address', address)
  if (elasticAddress !== null)
    need(isIPv4(elasticAddress) && elasticAddress.startsWith('127.'), of, 'elastic address', elasticAddress)
  for (const host of hosts)
    need(/^(\*\.)?[a-z0-9_]([a-z0-9._-]{0,252}[a-z0-9_])?$/.test(host), of, 'host name', host)
  for (const { port, host } of namedPorts) {
    need(isPort(port), of, 'loopback port', port)
    need(hosts.includes(host), of, 'name of a loopback port', host)
  }
  if (loopbackPort !== null) need(isPort(loopbackPort), of, 'loopback port', loopbackPort)
  need(isWithin(idleTimeoutSeconds, 1, 4000), of, 'idle timeout', idleTimeoutSeconds)
  need(isWithin(queueSeconds, 0, 300), of, 'time that requests wait', queueSeconds)
  const { reason = '', html = null } = page ?? {}
  need(reason.length <= 1_000, of, 'reason of an answer', reason)
  need(html === null || isPage(html), of, 'page', html)
  const modes = ['append', 'preserve', 'remove', undefined]
  need(modes.includes(headers?.forwardedFor), of, 'treatment of X-Forwarded-For', headers?.forwardedFor)
  for (const listener of listeners) {
    const { port, clients, rules } = listener
    need(isPort(port), of, 'listener port', port)
    for (const range of clients) need(isRange(range), of, 'range of clients', range)
    for (const action of actionsOf(listener)) checkAction(of, action)
    for (const condition of rules.flatMap(({ conditions }) => conditions)) checkCondition(of, condition)
    for (const { priority = 1 } of rules)
      need(Number.isInteger(priority) && isWithin(priority, 1, 50_000), of, 'priority', priority)
  }
  unique(
    `listener port of ${of}`,
    listeners.map(({ port }) => port),
  )
}

/** Who passes connections on, and who requests. */
function checkNetwork({ loadBalancers, targetGroups }: BalancerModel) {
  const ofTcp = new Set(targetGroups.filter(({ protocol }) => protocol === 'TCP').map(({ id }) => id))
  for (const { id, isNetwork = false, listeners } of loadBalancers)
    for (const listener of listeners) {
      const of = `load balancer ${id}`
      const { rules, action, tls } = listener
      if (isNetwork) {
        need(rules.length === 0, of, 'rules of a listener', rules.length)
        need(tls === undefined, of, 'TLS of a listener', tls)
        need(action.type === 'forward' && action.targetGroups.length <= 1, of, 'action', action)
      }
      for (const group of targetGroupIdsOf(listener))
        need(
          ofTcp.has(group) === isNetwork || !targetGroups.some((one) => one.id === group),
          of,
          'target group',
          group,
        )
    }
}

function checkCertificates({ certificates = [], loadBalancers }: BalancerModel) {
  unique(
    'certificate',
    certificates.map(({ id }) => id),
  )
  // An id may be any text: of it nothing but a digest is written.
  for (const { id, pem } of certificates) {
    // Blank lines would end what is sent over the socket.
    const isWhole = /^[A-Za-z0-9+/=\n -]+$/.test(pem) && !pem.includes('\n\n') && parsed(pem) !== null
    if (!isWhole) throw new EngineError(`certificate ${id} is not PEM`)
  }
  for (const { id, listeners } of loadBalancers)
    for (const { tls } of listeners) {
      const of = `load balancer ${id}`
      if (!tls) continue
      need(tls.certificateIds.length > 0, of, 'certificates of a listener', tls.certificateIds)
      for (const wanted of tls.certificateIds)
        need(
          certificates.some((one) => one.id === wanted),
          of,
          'certificate of a listener',
          wanted,
        )
      for (const version of [tls.minVersion, tls.maxVersion])
        need(['1.2', '1.3'].includes(version), of, 'version of TLS', version)
    }
}

function checkAction(of: string, action: Action) {
  if (action.type === 'forward') {
    for (const { weight } of action.targetGroups)
      need(Number.isInteger(weight) && isWithin(weight, 0, 999), of, 'weight', weight)
    const { stickySeconds } = action
    if (stickySeconds !== null)
      need(isWithin(stickySeconds, 1, 604_800), of, 'duration of stickiness', stickySeconds)
    unique(
      `target group of a forward of ${of}`,
      action.targetGroups.map(({ targetGroupId }) => checkId(targetGroupId)),
    )
  } else if (action.type === 'redirect') {
    const { protocol, host, port, path, query } = action
    need(['HTTP', 'HTTPS', '#{protocol}'].includes(protocol), of, 'protocol of a redirect', protocol)
    need(/^([A-Za-z0-9.-]|#\{\w+\}){1,128}$/.test(host), of, 'host of a redirect', host)
    need(
      port === '#{port}' || (/^\d{1,5}$/.test(port) && isPort(Number(port))),
      of,
      'port of a redirect',
      port,
    )
    need(/^\/[!-~]{0,127}$/.test(path), of, 'path of a redirect', path)
    need(/^[!-~]{0,128}$/.test(query), of, 'query of a redirect', query)
  } else {
    const { statusCode, contentType, body } = action
    need(Number.isInteger(statusCode) && isWithin(statusCode, 200, 599), of, 'status code', statusCode)
    need(/^[a-z]+\/[a-z0-9.+-]+$/.test(contentType), of, 'content type', contentType)
    need(Buffer.byteLength(body) <= BODY_BYTES_MAX, of, 'body of a response', body)
  }
}

/** A body of it fits into HAProxy's buffer with its head. */
const BODY_BYTES_MAX = 8_192
const PATTERN = /^[ -~]{1,256}$/

function checkCondition(of: string, condition: Condition) {
  const checkPatterns = (...patterns: string[]) => {
    for (const pattern of patterns) need(PATTERN.test(pattern), of, 'pattern', pattern)
  }
  switch (condition.field) {
    case 'http-header':
      need(/^[A-Za-z0-9!#$%&*+.^_`|~-]{1,40}$/.test(condition.name), of, 'header of a rule', condition.name)
      return checkPatterns(...condition.patterns)
    case 'host-header':
    case 'path-pattern':
      return checkPatterns(...condition.patterns)
    case 'query-string':
      return checkPatterns(...condition.pairs.flatMap(({ key, value }) => [key ?? '*', value]))
    case 'http-request-method':
      for (const method of condition.methods) need(/^[A-Z_-]{1,40}$/.test(method), of, 'method', method)
      return
    case 'source-ip':
      for (const range of condition.ranges) need(isRange(range), of, 'range of a rule', range)
  }
}

function checkTargetGroup({ id, protocol = 'HTTP', healthCheck, targets, routing }: TargetGroup) {
  const of = `target group ${checkId(id)}`
  need(['HTTP', 'HTTPS', 'TCP'].includes(protocol), of, 'protocol', protocol)
  if (healthCheck !== null) checkHealthCheck(of, healthCheck)
  if (routing) checkRouting(of, routing)
  for (const target of targets) {
    need(isIPv4(target.address), of, 'address of a target', target.address)
    need(isPort(target.port), of, 'port of a target', target.port)
    need(target.id !== '', of, 'target id', target.id)
  }
  unique(
    `target of ${of}`,
    targets.map((target) => `${target.id} port ${target.port}`),
  )
}

function checkRouting(of: string, { algorithm, slowStartSeconds, stickiness }: TargetGroupRouting) {
  const algorithms = ['round_robin', 'least_outstanding_requests', 'weighted_random']
  need(algorithms.includes(algorithm), of, 'algorithm', algorithm)
  need(isWithin(slowStartSeconds, 0, 900), of, 'slow start', slowStartSeconds)
  if (stickiness === null) return
  need(isWithin(stickiness.seconds, 1, 604_800), of, 'duration of stickiness', stickiness.seconds)
  const { applicationCookie: cookie } = stickiness
  if (cookie !== null) need(/^[A-Za-z0-9!#$%&*+.^_`|~-]{1,256}$/.test(cookie), of, 'cookie', cookie)
}

function checkHealthCheck(of: string, check: HealthCheck) {
  need(['HTTP', 'HTTPS', 'TCP'].includes(check.protocol), of, 'health check protocol', check.protocol)
  if (check.port !== null) need(isPort(check.port), of, 'health check port', check.port)
  need(/^\/[!-~]{0,1023}$/.test(check.path) || check.protocol === 'TCP', of, 'health check path', check.path)
  need(isWithin(check.intervalSeconds, 0.05, 300), of, 'health check interval', check.intervalSeconds)
  need(isWithin(check.timeoutSeconds, 0.05, 120), of, 'health check timeout', check.timeoutSeconds)
  need(isWithin(check.healthyThreshold, 1, 10), of, 'healthy threshold', check.healthyThreshold)
  need(isWithin(check.unhealthyThreshold, 1, 10), of, 'unhealthy threshold', check.unhealthyThreshold)
  const codes = /^[1-5]\d\d(-[1-5]\d\d)?(,[1-5]\d\d(-[1-5]\d\d)?)*$/
  need(codes.test(check.matcher) || check.protocol === 'TCP', of, 'matcher', check.matcher)
}

function checkId(id: string): string {
  if (!/^[\w.:/+=@-]{1,256}$/.test(id)) throw new EngineError(`not an id: ${JSON.stringify(id)}`)
  return id
}

const isPort = (port: number) => Number.isInteger(port) && port >= 1 && port <= 65_535
const isWithin = (value: number, least: number, most: number) => value >= least && value <= most

function need(holds: boolean, of: string, what: string, value: unknown) {
  if (!holds) throw new EngineError(`${of}: ${what} cannot be ${JSON.stringify(value)}`)
}

function unique(what: string, values: (string | number)[]) {
  const twice = values.find((value, index) => values.indexOf(value) !== index)
  if (twice !== undefined) throw new EngineError(`two have the same ${what}: ${twice}`)
}
