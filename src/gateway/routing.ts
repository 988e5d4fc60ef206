// Which service a request is for: the credential scope says it, since no AWS host name is visible (clients.md §2).
import { DeclaredError } from '../kernel/errors.ts'
import type { Joined, Registry } from './registry.ts'

// Scope names that differ from our service's.
const services = new Map([['elasticloadbalancing', 'elasticloadbalancingv2']])
const CLASSIC_LOAD_BALANCING = '2012-06-01'
// Their endpoint is one for the world, so any region may be in the scope.
const global = new Set(['iam', 'sts'])

/** The service of a credential scope. `version` is the query protocol's parameter, where there is one. */
export function serviceOf(registry: Registry, scopeService: string, version: string | undefined): Joined {
  if (scopeService === 'elasticloadbalancing' && version === CLASSIC_LOAD_BALANCING)
    throw unsupported(
      'Classic Load Balancers (elasticloadbalancing, version 2012-06-01) are not implemented by Polebean.',
    )
  const joined = registry.get(services.get(scopeService) ?? scopeService)
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
