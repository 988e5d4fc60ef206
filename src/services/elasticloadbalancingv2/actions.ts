// What listeners and rules do with a request: as callers write it, as it is kept, as it is described.
import type { Action as AwsAction } from '@aws-sdk/client-elastic-load-balancing-v2'
import type { Action } from '../../engines/balancer/engine.ts'
import { DeclaredError } from '../../kernel/errors.ts'
import { refuseOthers } from '../parameters.ts'
import { unsupported, validation } from './errors.ts'

/** The engine's, but that target groups are named by ARN. */
export type StoredAction =
  | Exclude<Action, { type: 'forward' }>
  | { type: 'forward'; targetGroups: StoredShare[]; stickySeconds: number | null }
export type StoredShare = { targetGroupArn: string; weight: number }

/** AWS: 5 target groups per action. */
export const TARGET_GROUPS_OF_ACTION_MAX = 5
const BODY_MAX = 1024
const CONTENT_TYPES = ['text/plain', 'text/css', 'text/html', 'application/javascript', 'application/json']

/** Checks what can be said without looking at target groups. `what`: Actions, DefaultActions. */
export function requireAction(actions: AwsAction[] | undefined, what: string): StoredAction {
  if (!actions?.length) throw validation(`${what} must be specified`)
  const routing = actions.filter(({ Type }) => ROUTING.includes(Type ?? ''))
  const other = actions.find(({ Type }) => !ROUTING.includes(Type ?? ''))
  if (other && AUTHENTICATING.includes(other.Type ?? ''))
    throw unsupported(`An action of type '${other.Type}'`)
  if (other)
    throw validation(
      `1 validation error detected: Value '${other.Type}' at 'actions.member.type' failed to satisfy constraint: Member must satisfy enum value set: [${[...ROUTING, ...AUTHENTICATING].join(', ')}]`,
    )
  if (routing.length > 1)
    throw new DeclaredError('TooManyActions', 'A rule can have only one action that is no authentication')
  const action = routing[0]!
  const own = MEMBERS[action.Type as keyof typeof MEMBERS]
  refuseOthers(action, ['Type', 'Order', ...own], (member) =>
    validation(`${member} cannot be specified for an action of type '${action.Type}'`),
  )
  if (action.Type === 'redirect') return redirectOf(action)
  return action.Type === 'fixed-response' ? fixedResponseOf(action) : forwardOf(action)
}

const ROUTING = ['forward', 'redirect', 'fixed-response']
const AUTHENTICATING = ['authenticate-oidc', 'authenticate-cognito', 'jwt-validation']
const MEMBERS = {
  forward: ['TargetGroupArn', 'ForwardConfig'],
  redirect: ['RedirectConfig'],
  'fixed-response': ['FixedResponseConfig'],
} as const

function forwardOf({ TargetGroupArn, ForwardConfig }: AwsAction): StoredAction {
  const groups = ForwardConfig?.TargetGroups ?? []
  if (TargetGroupArn && (groups.length > 1 || (groups[0] && groups[0].TargetGroupArn !== TargetGroupArn)))
    throw validation(
      'You can only specify one target group, the one of TargetGroupArn, in ForwardConfig with it',
    )
  if (groups.length > TARGET_GROUPS_OF_ACTION_MAX)
    throw new DeclaredError(
      'TooManyTargetGroups',
      `An action can forward to at most ${TARGET_GROUPS_OF_ACTION_MAX} target groups`,
    )
  const shares = groups.length > 0 ? groups : [{ TargetGroupArn, Weight: 1 }]
  const stored = shares.map(({ TargetGroupArn: arn, Weight: weight = 1 }) => {
    if (!arn) throw validation('A target group ARN must be specified')
    if (!Number.isInteger(weight) || weight < 0 || weight > 999)
      throw validation(`The weight '${weight}' must be between 0 and 999`)
    return { targetGroupArn: arn, weight }
  })
  const twice = stored.find(({ targetGroupArn: arn }, index) =>
    stored.slice(0, index).some((one) => one.targetGroupArn === arn),
  )
  if (twice) throw validation(`Target group '${twice.targetGroupArn}' is specified more than once`)
  return { type: 'forward', targetGroups: stored, stickySeconds: stickyOf(ForwardConfig) }
}

function stickyOf(config: AwsAction['ForwardConfig']): number | null {
  const { Enabled, DurationSeconds: seconds } = config?.TargetGroupStickinessConfig ?? {}
  if (seconds !== undefined && !(Number.isInteger(seconds) && seconds >= 1 && seconds <= 604_800))
    throw validation(`Target group stickiness duration '${seconds}' must be between 1 and 604800 seconds`)
  if (!Enabled) return null
  if (seconds === undefined)
    throw validation('You must specify a duration when target group stickiness is enabled')
  return seconds
}

function redirectOf({ RedirectConfig }: AwsAction): StoredAction {
  if (!RedirectConfig) throw validation('A redirect action must have a RedirectConfig')
  const {
    StatusCode,
    Protocol: protocol = '#{protocol}',
    Host: host = '#{host}',
    Port: port = '#{port}',
    Path: path = '/#{path}',
    Query: query = '#{query}',
  } = RedirectConfig
  if (StatusCode !== 'HTTP_301' && StatusCode !== 'HTTP_302')
    throw validation(
      `1 validation error detected: Value '${String(StatusCode)}' at 'actions.member.redirectConfig.statusCode' failed to satisfy constraint: Member must satisfy enum value set: [HTTP_301, HTTP_302]`,
    )
  if (!['HTTP', 'HTTPS', '#{protocol}'].includes(protocol))
    throw invalidAction(`The redirect protocol '${protocol}' is not valid; it is HTTP, HTTPS or #{protocol}`)
  if (!isTemplate(host, /^[A-Za-z0-9.-]*$/, ['host']) || host === '')
    throw invalidAction(`The redirect host '${host}' is not valid`)
  if (port !== '#{port}' && !(/^[1-9]\d{0,4}$/.test(port) && Number(port) <= 65_535))
    throw invalidAction(`The redirect port '${port}' is not valid; it is 1 to 65535 or #{port}`)
  if (!path.startsWith('/') || !isTemplate(path, /^[!-~]*$/, ['host', 'path', 'port']))
    throw invalidAction(`The redirect path '${path}' is not valid`)
  if (!isTemplate(query, /^[!-~]*$/, ['protocol', 'host', 'port', 'path', 'query']))
    throw invalidAction(`The redirect query '${query}' is not valid`)
  if (protocol === '#{protocol}' && host === '#{host}' && port === '#{port}' && path === '/#{path}')
    throw invalidAction(
      'The redirect configuration must modify at least one of protocol, host, port or path to avoid a loop',
    )
  const statusCode = StatusCode === 'HTTP_301' ? 301 : 302
  return { type: 'redirect', statusCode, protocol, host, port, path, query }
}

/** At most 128 characters, in which `#{…}` names one of `names` and the rest is of `text`. */
function isTemplate(template: string, text: RegExp, names: string[]): boolean {
  const parts = template.split(/#\{([^}]*)\}/)
  return (
    template.length <= 128 &&
    parts.every((part, index) => (index % 2 === 1 ? names.includes(part) : text.test(part)))
  )
}

function fixedResponseOf({ FixedResponseConfig }: AwsAction): StoredAction {
  if (!FixedResponseConfig) throw validation('A fixed-response action must have a FixedResponseConfig')
  const { StatusCode: code = '', MessageBody: body = '', ContentType } = FixedResponseConfig
  if (!/^[245]\d\d$/.test(code)) throw validation(`The fixed response code '${code}' must be 2XX, 4XX or 5XX`)
  if (body.length > BODY_MAX)
    throw validation(`The fixed response message body cannot be longer than '${BODY_MAX}' characters`)
  if (ContentType !== undefined && !CONTENT_TYPES.includes(ContentType))
    throw validation(`The fixed response content type must be one of '${CONTENT_TYPES.join(', ')}'`)
  return { type: 'fixed-response', statusCode: Number(code), contentType: ContentType ?? 'text/plain', body }
}

const invalidAction = (message: string) => new DeclaredError('InvalidLoadBalancerAction', message)

export function describeAction(action: StoredAction): AwsAction {
  if (action.type === 'redirect') {
    const { statusCode, protocol, host, port, path, query } = action
    return {
      Type: 'redirect',
      RedirectConfig: {
        ...{ Protocol: protocol, Host: host, Port: port, Path: path, Query: query },
        StatusCode: `HTTP_${statusCode}`,
      },
    }
  }
  if (action.type === 'fixed-response') {
    const { statusCode, contentType, body } = action
    return {
      Type: 'fixed-response',
      FixedResponseConfig: {
        StatusCode: String(statusCode),
        ContentType: contentType,
        ...(body === '' ? {} : { MessageBody: body }),
      },
    }
  }
  const { targetGroups, stickySeconds } = action
  return {
    Type: 'forward',
    // AWS names it here only where there is one.
    ...(targetGroups.length === 1 ? { TargetGroupArn: targetGroups[0]!.targetGroupArn } : {}),
    ForwardConfig: {
      TargetGroups: targetGroups.map(({ targetGroupArn, weight }) => ({
        TargetGroupArn: targetGroupArn,
        Weight: weight,
      })),
      TargetGroupStickinessConfig:
        stickySeconds === null ? { Enabled: false } : { Enabled: true, DurationSeconds: stickySeconds },
    },
  }
}

export const targetGroupArnsOf = (action: StoredAction): string[] =>
  action.type === 'forward' ? action.targetGroups.map((share) => share.targetGroupArn) : []
