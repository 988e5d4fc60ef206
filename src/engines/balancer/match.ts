// Which action a request meets, worked out as the contract says it: what the fake does, and what HAProxy is held to.
import { holds } from './clients.ts'
import type { Action, Condition, Listener, Rule } from './engine.ts'
import { matchesPattern } from './patterns.ts'

export type MatchedRequest = {
  host: string
  path: string
  method: string
  /** Names in lower case. */
  headers: Record<string, string>
  from: string
}

/** What a client gets. */
export type FakeAnswer = {
  status: number
  /** The target that answered; null = the balancer itself. */
  targetId: string | null
  targetPort?: number
  /** What a client of HTTPS was shown. */
  certificateId?: string
  /** Of the balancer's own. */
  headers: Record<string, string>
  body: string
}

/** The first rule that applies, else the listener itself. */
export const ruleFor = (
  { rules, action }: Listener,
  request: MatchedRequest,
): Pick<Rule, 'action' | 'priority'> =>
  rules.find(({ conditions }) => conditions.every((condition) => isMet(condition, request))) ?? { action }

function isMet(condition: Condition, { host, path, method, headers, from }: MatchedRequest): boolean {
  const [location, query] = splitOnce(path, '?')
  switch (condition.field) {
    case 'host-header':
      return isHostMet(condition.patterns, host.replace(/:\d+$/, ''))
    case 'path-pattern':
      return condition.patterns.some((pattern) => matchesPattern(pattern, location))
    case 'http-request-method':
      return condition.methods.includes(method)
    case 'http-header':
      return anyCase(condition.patterns, headers[condition.name.toLowerCase()])
    case 'query-string':
      return condition.pairs.some((pair) => isInQuery(pair, query))
    case 'source-ip':
      return holds(condition.ranges, from)
  }
}

export const isHostMet = (patterns: string[], host: string): boolean => anyCase(patterns, host)

const anyCase = (patterns: string[], text: string | undefined) =>
  text !== undefined && patterns.some((pattern) => matchesPattern(pattern.toLowerCase(), text.toLowerCase()))

const isInQuery = ({ key, value }: { key: string | null; value: string }, query: string | undefined) =>
  query !== undefined &&
  query.split('&').some((parameter) => {
    const [name, given = ''] = parameter.includes('=') ? splitOnce(parameter, '=') : ['', parameter]
    return (key === null || anyCase([key], name)) && anyCase([value], given)
  })

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator)
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)]
}

/** What the balancer says by itself to a request on `clientPort`; `seen`: how its client knows another listener's port. */
export function answerOf(
  action: Exclude<Action, { type: 'forward' }>,
  { host, path }: Pick<MatchedRequest, 'host' | 'path'>,
  protocol: 'http' | 'https',
  clientPort: number,
  seen: (listenerPort: number) => number,
): FakeAnswer {
  if (action.type === 'fixed-response') {
    const { statusCode: status, contentType, body } = action
    return { status, targetId: null, headers: body === '' ? {} : { 'content-type': contentType }, body }
  }
  const [location, query = ''] = splitOnce(path, '?')
  const parts: Record<string, string> = {
    ...{ protocol, host: host.replace(/:\d+$/, ''), port: String(clientPort) },
    ...{ path: location.slice(1), query },
  }
  const filled = (template: string) =>
    template.replace(/#\{(\w+)\}/g, (whole, name: string) => parts[name] ?? whole)
  const port =
    action.port === '#{port}'
      ? clientPort
      : action.host.includes('#{host}')
        ? seen(Number(action.port))
        : action.port
  const asked = filled(action.query)
  const place = `${filled(action.protocol).toLowerCase()}://${filled(action.host)}:${port}`
  const to = `${place}${filled(action.path)}${asked === '' ? '' : `?${asked}`}`
  return { status: action.statusCode, targetId: null, headers: { location: to }, body: '' }
}
