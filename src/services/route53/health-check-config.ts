// What a health check asks, as callers give it and as it is kept.
import type { HealthCheckConfig } from '@aws-sdk/client-route-53'
import { isIP, isIPv4 } from 'node:net'
import { invalidInput, unsupported } from './errors.ts'
import { readName } from './names.ts'

export type CheckConfig = {
  type: 'HTTP' | 'HTTPS' | 'HTTP_STR_MATCH' | 'HTTPS_STR_MATCH' | 'TCP' | 'CALCULATED'
  address: string | null
  name: string | null
  port: number
  path: string
  search: string | null
  intervalSeconds: 10 | 30
  failureThreshold: number
  inverted: boolean
  disabled: boolean
  sni: boolean
  /** Ids, of a calculated one. */
  children: string[]
  /** How many of them must be healthy. */
  healthThreshold: number
}

const TYPES = ['HTTP', 'HTTPS', 'HTTP_STR_MATCH', 'HTTPS_STR_MATCH', 'TCP', 'CALCULATED'] as const
const CHILDREN_MAX = 256

/** Throws InvalidInput. `before`: what it is now, of which some cannot change. */
export function readCheckConfig(given: Partial<HealthCheckConfig>, before?: CheckConfig): CheckConfig {
  const type = TYPES.find((one) => one === given.Type)
  if (!type)
    throw ['CLOUDWATCH_METRIC', 'RECOVERY_CONTROL'].includes(given.Type ?? '')
      ? unsupported(`The type ${given.Type}`)
      : invalidInput(`'${given.Type}' is not a type of health check.`)
  for (const member of [
    'AlarmIdentifier',
    'InsufficientDataHealthStatus',
    'RoutingControlArn',
    'Regions',
  ] as const)
    if (given[member] !== undefined) throw unsupported(member)
  if (given.MeasureLatency) throw unsupported('MeasureLatency')
  const isCalculated = type === 'CALCULATED'
  const children = given.ChildHealthChecks ?? []
  if (isCalculated !== children.length > 0 || children.length > CHILDREN_MAX)
    throw invalidInput(`A calculated health check, and no other, has 1 to ${CHILDREN_MAX} ChildHealthChecks.`)
  const address = given.IPAddress || null
  const name = given.FullyQualifiedDomainName || null
  if (!isCalculated && address === null && name === null)
    throw invalidInput('Either IPAddress or FullyQualifiedDomainName must be given.')
  if (address !== null) checkAddress(address)
  if (name !== null && readName(name) === undefined)
    throw invalidInput(`'${name.slice(0, 255)}' is not a domain name.`)
  const port = given.Port ?? (type.startsWith('HTTPS') ? 443 : 80)
  if (type === 'TCP' && given.Port === undefined) throw invalidInput('A check of type TCP needs a Port.')
  inRange('Port', port, 1, 65_535)
  const path = given.ResourcePath || '/'
  if (!/^\/?[\x21-\x7e]{0,254}$/.test(path))
    throw invalidInput('ResourcePath has up to 255 characters without blanks.')
  const search = given.SearchString || null
  const searches = type.endsWith('STR_MATCH')
  if (searches !== (search !== null))
    throw invalidInput('SearchString goes with the types HTTP_STR_MATCH and HTTPS_STR_MATCH.')
  if ((search ?? '').length > 255) throw invalidInput('SearchString has up to 255 characters.')
  const interval = given.RequestInterval ?? before?.intervalSeconds ?? 30
  if (interval !== 10 && interval !== 30) throw invalidInput('RequestInterval is 10 or 30.')
  const failureThreshold = given.FailureThreshold ?? 3
  inRange('FailureThreshold', failureThreshold, 1, 10)
  const healthThreshold = given.HealthThreshold ?? 0
  inRange('HealthThreshold', healthThreshold, 0, 256)
  return {
    ...{ type, address, name, port, path: path.startsWith('/') ? path : `/${path}`, search },
    ...{ intervalSeconds: interval, failureThreshold, children, healthThreshold },
    ...{ inverted: given.Inverted ?? false, disabled: given.Disabled ?? false },
    sni: given.EnableSNI ?? type.startsWith('HTTPS'),
  }
}

function inRange(what: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most)
    throw invalidInput(`${what} is ${least} to ${most}, not ${value}.`)
}

/** What is asked is asked by this machine: not of itself, where others trust who is local. */
function checkAddress(address: string): void {
  if (isIP(address) === 0) throw invalidInput(`'${address.slice(0, 100)}' is not an IP address.`)
  const isOwn = isIPv4(address)
    ? /^(0|127|169\.254)\./.test(address)
    : /^(::1?$|fe80:|::ffff:)/i.test(address)
  if (isOwn)
    throw invalidInput(
      `${address} is an address of the machine itself; name an environment as FullyQualifiedDomainName.`,
    )
}

export function shownConfig(config: CheckConfig): HealthCheckConfig {
  const isCalculated = config.type === 'CALCULATED'
  return {
    ...(config.address === null ? {} : { IPAddress: config.address }),
    ...(isCalculated ? {} : { Port: config.port }),
    Type: config.type,
    ...(isCalculated || config.type === 'TCP' ? {} : { ResourcePath: config.path, EnableSNI: config.sni }),
    ...(config.name === null ? {} : { FullyQualifiedDomainName: config.name }),
    ...(config.search === null ? {} : { SearchString: config.search }),
    ...(isCalculated
      ? { HealthThreshold: config.healthThreshold, ChildHealthChecks: config.children }
      : {
          RequestInterval: config.intervalSeconds,
          FailureThreshold: config.failureThreshold,
          MeasureLatency: false,
        }),
    ...{ Inverted: config.inverted, Disabled: config.disabled },
  }
}
