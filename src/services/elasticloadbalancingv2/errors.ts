// Errors of elasticloadbalancingv2, worded as AWS words them.
import { DeclaredError } from '../../kernel/errors.ts'
import type { Paging } from '../parameters.ts'

export const validation = (message: string) => new DeclaredError('ValidationError', message)

/** Refuses what Polebean does not do (design §2.12). */
export const unsupported = (member: string) =>
  new DeclaredError('InvalidConfigurationRequest', `${member} is not supported by Polebean.`)

export const missing = (member: string) =>
  validation(
    `1 validation error detected: Value null at '${member}' failed to satisfy constraint: Member must not be null`,
  )

export const noLoadBalancer = (arn: string) =>
  new DeclaredError('LoadBalancerNotFound', `Load balancer '${arn}' not found`)

export const noTargetGroup = (arn: string) =>
  arn.startsWith('arn:')
    ? new DeclaredError('TargetGroupNotFound', `Target groups '${arn}' not found`)
    : validation(`'${arn}' is not a valid target group ARN`)

export const noListener = (arn: string) =>
  new DeclaredError('ListenerNotFound', `One or more listeners not found: '${arn}'`)

export const noRule = (arn: string) =>
  new DeclaredError('RuleNotFound', `One or more rules not found: '${arn}'`)

/** `PageSize`: 1 to 400. */
export const paging: Paging = {
  fallback: 400,
  least: 1,
  most: 400,
  badSize: (size) =>
    validation(
      `1 validation error detected: Value '${size}' at 'pageSize' failed to satisfy constraint: Member must be between 1 and 400`,
    ),
  badToken: () => validation('The specified marker is not valid.'),
}
