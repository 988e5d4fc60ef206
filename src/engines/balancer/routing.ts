// How a request finds its backend, as HAProxy's lines. The variable `txn.to` holds where it is on its way to: first what a
// map says of its host or address, which is a backend at once or, where there is something to decide, its listener; the
// first rule that applies takes it on from there, and a forward to several target groups from rule to backend.
import { actionsOf, sharesOf } from './actions.ts'
import type { Action, Condition, Listener, LoadBalancer, Rule } from './engine.ts'
import { backendName, type Backend, digest, endOf, forwardName, listenerName } from './names.ts'
import { regularExpressionOf } from './patterns.ts'

/** Lines of a frontend and the files that they name. */
export type Routing = { lines: string[]; files: Map<string, string> }

/** What the maps say of a listener. */
export function entryOf(backends: Backend[], loadBalancer: LoadBalancer, listener: Listener): string {
  const end = listener.rules.length === 0 ? endOf(backends, loadBalancer, listener.action) : null
  return end ?? listenerName(loadBalancer.id, listener.port)
}

/** Nothing for a listener whose entry is a backend. */
export function routeOf(
  backends: Backend[],
  loadBalancer: LoadBalancer,
  listener: Listener,
  dir: string,
): Routing {
  const files = new Map<string, string>()
  const name = listenerName(loadBalancer.id, listener.port)
  if (entryOf(backends, loadBalancer, listener) !== name) return { lines: [], files }
  const rules: Rule[] = [...listener.rules, { conditions: [], action: listener.action }]
  const steps = rules.flatMap(({ conditions, action, priority }) => {
    const end = endOf(backends, loadBalancer, action) ?? forwardName(loadBalancer.id, action)
    return waysToMeet(conditions, files, dir).flatMap((tests) => [
      // Asked twice where it is told.
      ...(loadBalancer.logsRequests && priority !== undefined
        ? [`http-request set-var(txn.rule) int(${priority}) if ${[isAt(name), ...tests].join(' ')}`]
        : []),
      setTo(end, [isAt(name), ...tests]),
    ])
  })
  const choices = new Map(
    actionsOf(listener).flatMap((action) => {
      if (action.type !== 'forward' || endOf(backends, loadBalancer, action) !== null) return []
      const forward = forwardName(loadBalancer.id, action)
      return [[forward, choiceOf(forward, action, loadBalancer, listener.tls !== undefined)] as const]
    }),
  )
  return { lines: [...steps, ...[...choices.values()].flat()], files }
}

const setTo = (end: string, tests: string[]) =>
  `http-request set-var(txn.to) str(${end}) if ${tests.join(' ')}`
const isAt = (place: string) => `{ var(txn.to) -m str ${place} }`

/** Each target group in turn takes its share of what those before it have left. */
function choiceOf(
  forward: string,
  action: Action & { type: 'forward' },
  { id }: LoadBalancer,
  isSecure: boolean,
): string[] {
  const shares = sharesOf(action).map(({ targetGroupId, weight }) => ({
    weight,
    end: backendName(id, targetGroupId),
  }))
  const draws = shares.map(({ end, weight }, index) => {
    const left = shares.slice(index).reduce((sum, share) => sum + share.weight, 0)
    return setTo(end, [isAt(forward), ...(weight === left ? [] : [`{ rand(${left}) lt ${weight} }`])])
  })
  if (action.stickySeconds === null) return draws
  const { stickySeconds } = action
  // Of the target group alone: who stays does so when weights change.
  const token = (end: string) => digest(`sticky ${end}`, 32)
  return [
    // A worker that was replaced passes the request on: the cookie is its successor's matter.
    `http-request set-var(txn.sticky) str(${forward}) if ${isAt(forward)} !{ stopping }`,
    ...[COOKIE, `${COOKIE}CORS`].flatMap((cookie) =>
      shares.map(({ end }) => setTo(end, [isAt(forward), `{ req.cook(${cookie}) -m str ${token(end)} }`])),
    ),
    ...draws,
    ...shares.flatMap(({ end }) =>
      [
        `${COOKIE}=${token(end)}; Expires=%[date(${stickySeconds}),http_date]; Path=/`,
        `${COOKIE}CORS=${token(end)}; Expires=%[date(${stickySeconds}),http_date]; Path=/; SameSite=None${isSecure ? '; Secure' : ''}`,
      ].map(
        (cookie) =>
          `http-response add-header Set-Cookie '${cookie}' if { var(txn.sticky) -m str ${forward} } ${isAt(end)}`,
      ),
    ),
  ]
}

const COOKIE = 'AWSALBTG'

/** Tests that must all hold, in as many ways as they can: families of addresses are asked apart. */
function waysToMeet(conditions: Condition[], files: Map<string, string>, dir: string): string[][] {
  return conditions.reduce<string[][]>(
    (ways, condition) => {
      const own = testsOf(condition, files, dir)
      return ways.flatMap((way) => own.map((tests) => [...way, ...tests]))
    },
    [[]],
  )
}

/** In braces; patterns lie in files, where nothing needs quoting and no line is too long. */
function testsOf(condition: Condition, files: Map<string, string>, dir: string): string[][] {
  const fileOf = (lines: string[]) => {
    const content = lines.map((line) => `${line}\n`).join('')
    const name = `rule-${digest(content, 16)}.lst`
    files.set(name, content)
    return `${dir}/${name}`
  }
  const whole = (pattern: string) => `^${regularExpressionOf(pattern)}$`
  switch (condition.field) {
    case 'host-header':
      return [[`{ req.hdr(host),host_only -m reg -i -f ${fileOf(condition.patterns.map(whole))} }`]]
    case 'path-pattern':
      return [[`{ path -m reg -f ${fileOf(condition.patterns.map(whole))} }`]]
    case 'http-request-method':
      return [[`{ method -m str -f ${fileOf(condition.methods)} }`]]
    case 'http-header':
      return [[`{ 'req.fhdr(${condition.name})' -m reg -i -f ${fileOf(condition.patterns.map(whole))} }`]]
    case 'query-string':
      return [[`{ query -m reg -i -f ${fileOf(condition.pairs.map(parameter))} }`]]
    case 'source-ip':
      // HAProxy looks for an IPv4 address among ranges of IPv6, too, as one that is mapped.
      return [false, true].flatMap((isIpv6) => {
        const own = condition.ranges.filter((range) => range.includes(':') === isIpv6)
        return own.length === 0 ? [] : [[`{ src -f ${fileOf(own)} }`, `${isIpv6 ? '' : '!'}{ src -m sub : }`]]
      })
  }
}

// One parameter of a query. What stands before its first `=` is its key, and not tried as a part of the value.
const parameter = ({ key, value }: { key: string | null; value: string }) => {
  const name = key === null ? '(?:[^&=]*=)?+' : `${regularExpressionOf(key, '[^&=]')}=`
  return `(?:^|&)${name}${regularExpressionOf(value, '[^&]')}(?:&|$)`
}
