// What a group may be, as AWS words what it may not.
import type { InstanceMetadataOptions } from '@aws-sdk/client-auto-scaling'
import type { Context } from '../context.ts'
import type { AutoscalingDeps } from './deps.ts'
import { requireKnown } from './operations/launch-configurations.ts'
import { validation } from './errors.ts'
import { terminationPolicies } from './termination.ts'

export type Sizes = { min: number; max: number; desired: number }

/** Sizes of a group; `desired` of an update follows the new bounds when it was not given. */
export function requireSizes(sizes: Sizes): Sizes {
  const { min, max, desired } = sizes
  for (const [name, size] of [
    ['MinSize', min],
    ['MaxSize', max],
    ['DesiredCapacity', desired],
  ] as const)
    if (!Number.isInteger(size) || size < 0)
      throw validation(
        `1 validation error detected: Value '${size}' at '${name.slice(0, 1).toLowerCase()}${name.slice(1)}' failed to satisfy constraint: Member must have value greater than or equal to 0`,
      )
  if (max < min) throw validation(`Max bound, ${max}, must be greater than or equal to min bound, ${min}`)
  if (desired < min || desired > max)
    throw validation(
      `Desired capacity:${desired} must be between the specified min size:${min} and max size:${max}`,
    )
  return sizes
}

/** The subnets and zones a group launches into: from `VPCZoneIdentifier`, or the default subnets of zones. */
export function requirePlaces(
  { cloud }: Pick<AutoscalingDeps, 'cloud'>,
  context: Context,
  input: { VPCZoneIdentifier?: string; AvailabilityZones?: string[] },
): { subnets: string[]; zones: string[] } {
  const all = cloud.ec2.describeSubnets(context, {}).Subnets ?? []
  const wanted = (input.VPCZoneIdentifier ?? '')
    .split(',')
    .map((id) => id.trim())
    .filter((id) => id !== '')
  const zones = input.AvailabilityZones ?? []
  if (wanted.length === 0 && zones.length === 0)
    throw validation('At least one Availability Zone or VPC Subnet is required.')
  const unknown = wanted.find((id) => !all.some((subnet) => subnet.SubnetId === id))
  if (unknown !== undefined) throw validation(`The subnet ID '${unknown}' does not exist`)
  const elsewhere = zones.filter((zone) => !all.some((subnet) => subnet.AvailabilityZone === zone))
  if (elsewhere.length > 0)
    throw validation(`One or more Availability Zones are invalid: ${elsewhere.join(', ')}`)
  const chosen = all.filter(({ SubnetId, AvailabilityZone }) =>
    wanted.length > 0 ? wanted.includes(SubnetId!) : zones.includes(AvailabilityZone!),
  )
  const zonesOfChosen = [...new Set(chosen.map((subnet) => subnet.AvailabilityZone!))]
  if (wanted.length > 0 && zones.some((zone) => !zonesOfChosen.includes(zone)))
    throw validation(
      'The availability zones of the specified subnets and the Auto Scaling group do not match',
    )
  return { subnets: chosen.map((subnet) => subnet.SubnetId!), zones: zonesOfChosen }
}

export function requireTargetGroups(
  { cloud }: Pick<AutoscalingDeps, 'cloud'>,
  context: Context,
  arns: string[],
): string[] {
  if (arns.length === 0) return []
  const { TargetGroups = [] } = requireKnown(
    () => cloud.elasticloadbalancingv2.describeTargetGroups(context, { TargetGroupArns: arns }),
    'Provided Target Groups may not be valid. Please ensure they exist and try again.',
  )
  if (TargetGroups.some(({ TargetType = 'instance' }) => TargetType !== 'instance'))
    throw validation(
      "Provided Target Groups have incompatible target type: a group's instances are targets of the type 'instance'",
    )
  return [...new Set(arns)]
}

export function requireHealthCheckType(type: string): 'EC2' | 'ELB' {
  if (type === 'EC2' || type === 'ELB') return type
  throw validation(`Invalid HealthCheckType: ${type}. Polebean has EC2 and ELB.`)
}

/** What ec2 would refuse at the launch is refused here. */
export function requireMetadataOptions(options: InstanceMetadataOptions = {}): InstanceMetadataOptions {
  const { HttpTokens, HttpEndpoint, HttpPutResponseHopLimit: hops } = options
  const allowed = [
    { name: 'httpTokens', value: HttpTokens, words: ['optional', 'required'] },
    { name: 'httpEndpoint', value: HttpEndpoint, words: ['disabled', 'enabled'] },
  ]
  for (const { name, value, words } of allowed)
    if (value !== undefined && !words.includes(value))
      throw validation(
        `1 validation error detected: Value '${value}' at 'metadataOptions.${name}' failed to satisfy constraint: Member must satisfy enum value set: [${words.join(', ')}]`,
      )
  if (hops !== undefined && !(Number.isInteger(hops) && hops >= 1 && hops <= 64))
    throw validation(
      `1 validation error detected: Value '${hops}' at 'metadataOptions.httpPutResponseHopLimit' failed to satisfy constraint: Member must be between 1 and 64`,
    )
  return options
}

export function requireSeconds(value: number, member: string, max: number): number {
  if (Number.isInteger(value) && value >= 0 && value <= max) return value
  throw validation(
    `1 validation error detected: Value '${value}' at '${member}' failed to satisfy constraint: Member must be between 0 and ${max}`,
  )
}

/** -1 takes it back: nothing is said then. */
export const requireWarmup = (seconds: number | undefined): number | null =>
  seconds === undefined || seconds === -1
    ? null
    : requireSeconds(seconds, 'defaultInstanceWarmup', 2_147_483_647)

/** A day to a year; 0 = none. */
export function requireLifetime(seconds: number): number {
  if (seconds === 0 || (Number.isInteger(seconds) && seconds >= 86_400 && seconds <= 31_536_000))
    return seconds
  throw validation('maxInstanceLifetime must be between 86400 and 31536000 seconds (inclusive)')
}

export function requirePolicies(policies: string[]): string[] {
  const unknown = policies.find((policy) => !terminationPolicies.includes(policy))
  if (unknown !== undefined)
    throw validation(
      `Termination policy ${unknown} is not supported by Polebean; it has ${terminationPolicies.join(', ')}.`,
    )
  return policies
}
