// Which service a request is for: the credential scope says it, since no AWS host name is visible (clients.md §2).
import { DeclaredError } from '../kernel/errors.ts'
import type { Joined, Registry } from './registry.ts'

/** Two services have one scope; the version of the API tells them apart. */
const LOAD_BALANCING = 'elasticloadbalancing'
const CLASSIC = '2012-06-01'
// Their endpoint is one for the world, so any region may be in the scope.
const global = new Set(['iam', 'route53', 'sts'])

/** Our name of the service of a credential scope. */
export function serviceNamed(scopeService: string, version: string | undefined): string {
  if (scopeService === 'monitoring') return 'cloudwatch'
  return scopeService === LOAD_BALANCING && version !== CLASSIC ? 'elasticloadbalancingv2' : scopeService
}

/** The service of a credential scope. `version` is the query protocol's parameter, where there is one. */
export function serviceOf(registry: Registry, scopeService: string, version: string | undefined): Joined {
  const joined = registry.get(serviceNamed(scopeService, version))
  if (!joined) throw unsupported(`The service '${scopeService.slice(0, 60)}' is not implemented by Polebean.`)
  return joined
}

export function checkRegion(joined: Joined, signedFor: string, region: string): void {
  // A URL signed by version 2 names no region.
  if (signedFor === region || signedFor === '' || global.has(joined.model.service)) return
  if (joined.model.service === 's3')
    // S3's own answer names the right region, and SDKs then ask again with it.
    throw new DeclaredError(
      'AuthorizationHeaderMalformed',
      `The authorization header is malformed; the region '${signedFor}' is wrong; expecting '${region}'`,
      { members: { Region: region } },
    )
  throw new DeclaredError(
    'InvalidParameterValue',
    `This Polebean serves region ${region}; the request was signed for region ${signedFor}.`,
  )
}

export const notImplemented = (service: string, operation: string): DeclaredError =>
  unsupported(`${service}:${operation} is not implemented by Polebean.`)

const unsupported = (message: string) => new DeclaredError('UnsupportedOperation', message)
