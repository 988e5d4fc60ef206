import { createHash } from 'node:crypto'
import type { BlockDeviceMapping, RunInstancesCommandInput } from '@aws-sdk/client-ec2'
import { DeclaredError } from '../../../kernel/errors.ts'
import { refuseOthers } from '../../parameters.ts'
import type { Context } from '../../context.ts'
import type { Ec2Operations } from '../../generated/ec2.ts'
import { allocateInterface } from '../addresses.ts'
import { requireCapacity, requireWithinLimit } from '../capacity.ts'
import type { Ec2Deps } from '../deps.ts'
import { describeReservations } from '../describe-instance.ts'
import { invalidValue, missing, noSubnet, unsupported } from '../errors.ts'
import { requireGroups, findNamedGroups } from '../groups.ts'
import { typeNamed } from '../instance-type.ts'
import { imageIdOf, ROOT_BYTES, ROOT_DEVICE, ROOT_GIB_MAX } from '../image.ts'
import { withoutInterfaces } from '../interface-specification.ts'
import { withTemplate } from '../launch-template-data.ts'
import { METADATA_DEFAULTS, requireTagKeys, withOptions } from '../metadata/options.ts'
import type { Subnet } from '../network.ts'
import { checkUserData } from '../user-data.ts'
import { instancesOf, type InstanceRow } from '../store.ts'
import { noImage } from './images.ts'
import { requireKeyPair } from './key-pairs.ts'
import { requireStops } from '../attributes.ts'
import { putTags, tagsFor } from './tags.ts'

/** What is left of NetworkInterfaces beside members that the launch has, too. */
type Launch = RunInstancesCommandInput & { interfaceDescription?: string }
type Implemented = Pick<Ec2Operations, 'runInstances'>

/** Of one call. AWS has account limits instead; a call of this size is a slip of the keyboard on one machine. */
const COUNT_MAX = 100
/** A tag of a launch with this key and the value `true` makes it wait for its software (cloud.ts). */
export const AWAITS_SOFTWARE_TAG = 'polebean:awaits-software'

export function makeRunInstances(deps: Ec2Deps): Implemented {
  const { store, clock, ids, instancesMax, networkOf } = deps
  return {
    runInstances(context, request) {
      const requestDigest = createHash('sha256').update(JSON.stringify(request)).digest('hex')
      const before = launchedBefore(context, request.ClientToken, requestDigest)
      if (before.length > 0) return describeReservations(deps, context, before)[0]!
      const input: Launch = withTemplate(deps, context, withoutInterfaces(request))

      const { min, max } = countsOf(input)
      if (!input.ImageId) throw missing('ImageId')
      if (input.ImageId !== imageIdOf(context)) throw noImage([input.ImageId])
      const type = typeNamed(store, input.InstanceType)
      const subnet = subnetOf(context, input)
      const pair = input.KeyName ? requireKeyPair(deps, context, input.KeyName) : undefined
      requireStops(input.InstanceInitiatedShutdownBehavior)
      const userData = checkUserData(input.UserData)
      const diskBytes = diskBytesOf(input.BlockDeviceMappings)
      if (input.SecurityGroups?.length && input.SubnetId)
        throw new DeclaredError(
          'InvalidParameterCombination',
          'The parameter groupName cannot be used with the parameter subnet',
        )
      if (input.PrivateIpAddress && max > 1)
        throw new DeclaredError(
          'InvalidParameterCombination',
          'A private IP address cannot be specified for more than one instance.',
        )
      const named = findNamedGroups(deps, context, input.SecurityGroups)
      const groups = requireGroups(deps, context, [...(input.SecurityGroupIds ?? []), ...named])
      const tags = tagsFor(context, input.TagSpecifications, ['instance', 'network-interface'])
      const interfaceTags = tagsFor(context, input.TagSpecifications, ['network-interface', 'instance'])
      const metadataOptions = withOptions(METADATA_DEFAULTS, input.MetadataOptions)
      requireTagKeys(
        metadataOptions,
        tags.map(({ Key = '' }) => Key),
      )
      const count = countThatFits({
        min,
        max,
        fits(wanted) {
          requireWithinLimit(store, wanted, instancesMax())
          requireCapacity(store, type, wanted, subnet.zone, deps.budgets?.().memoryOvercommit)
        },
      })

      const reservationId = ids.hex('r-', 17)
      const rows = Array.from({ length: count }, (_unused, launchIndex): InstanceRow => {
        const id = ids.hex('i-', 17)
        const networkInterface = allocateInterface(deps, context, {
          subnet,
          groups,
          description: input.interfaceDescription ?? '',
          instanceId: id,
          address: input.PrivateIpAddress || undefined,
        })
        const row: InstanceRow = {
          id,
          account: context.account,
          region: context.region,
          reservationId,
          launchIndex,
          clientToken: input.ClientToken ?? null,
          requestDigest,
          requestId: context.requestId,
          imageId: imageIdOf(context),
          instanceType: type.name,
          subnetId: subnet.id,
          vpcId: networkOf(context).vpcId,
          zone: subnet.zone,
          networkInterfaceId: networkInterface.id,
          diskBytes,
          iamInstanceProfile: input.IamInstanceProfile?.Arn ?? input.IamInstanceProfile?.Name ?? null,
          monitoring: input.Monitoring?.Enabled ? 1 : 0,
          awaitsSoftware: tags.some((tag) => tag.Key === AWAITS_SOFTWARE_TAG && tag.Value === 'true') ? 1 : 0,
          launchedAt: clock.now(),
          desired: 'running',
          rebootBoot: null,
          state: 'pending',
          stateReasonCode: null,
          stateReasonMessage: null,
          stateTransitionReason: '',
          terminatedAt: null,
          engineState: null,
          address: null,
          boot: '',
          revision: 0,
          downSince: null,
          awaitsLayersSince: null,
          recoveries: '[]',
          keyName: input.KeyName || null,
          publicKey: pair?.publicKey ?? null,
          userData,
          disableApiTermination: input.DisableApiTermination ? 1 : 0,
          disableApiStop: input.DisableApiStop ? 1 : 0,
          metadataOptions: JSON.stringify(metadataOptions),
        }
        store.insert('ec2_instance', row)
        putTags(deps, context, id, tags)
        putTags(deps, context, networkInterface.id, interfaceTags)
        return row
      })
      return describeReservations(deps, context, rows)[0]!
    },
  }

  function launchedBefore(context: Context, clientToken: string | undefined, requestDigest: string) {
    if (!clientToken) return []
    if (clientToken.length > 64)
      throw invalidValue(clientToken, 'clientToken', 'Length exceeds maximum of 64.')
    const before = instancesOf(store, context).filter((row) => row.clientToken === clientToken)
    if (before.some((row) => row.requestDigest !== requestDigest))
      throw new DeclaredError(
        'IdempotentParameterMismatch',
        'Arguments on this idempotent request are inconsistent with arguments used in previous request(s).',
      )
    return before
  }

  function subnetOf(context: Context, { SubnetId, Placement }: RunInstancesCommandInput): Subnet {
    const { subnets } = networkOf(context)
    refuseOthers(Placement ?? {}, ['AvailabilityZone', 'Tenancy'], (member) =>
      unsupported(`Placement.${member}`),
    )
    if (Placement?.Tenancy && Placement.Tenancy !== 'default')
      throw unsupported(`Placement.Tenancy=${Placement.Tenancy}`)
    const zone = Placement?.AvailabilityZone
    if (zone && !subnets.some((subnet) => subnet.zone === zone))
      throw invalidValue(
        zone,
        'AvailabilityZone',
        `Subnets can currently only be created in the following availability zones: ${subnets.map((one) => one.zone).join(', ')}.`,
      )
    const subnet = subnets.find((one) => (SubnetId ? one.id === SubnetId : zone ? one.zone === zone : true))
    if (!subnet) throw noSubnet(SubnetId ?? '')
    if (zone && subnet.zone !== zone)
      throw new DeclaredError(
        'InvalidParameterCombination',
        `The availability zone '${zone}' does not match the zone of subnet '${subnet.id}'.`,
      )
    return subnet
  }
}

function countsOf({ MinCount, MaxCount }: RunInstancesCommandInput): { min: number; max: number } {
  if (MinCount === undefined) throw missing('MinCount')
  if (MaxCount === undefined) throw missing('MaxCount')
  if (MinCount < 1) throw invalidValue(String(MinCount), 'minCount', 'Must be at least 1.')
  if (MaxCount < MinCount)
    throw new DeclaredError(
      'InvalidParameterCombination',
      'The parameter MaxCount must be greater than or equal to MinCount.',
    )
  if (MaxCount > COUNT_MAX)
    throw new DeclaredError(
      'InstanceLimitExceeded',
      `You have requested more instances (${MaxCount}) than one call may start (${COUNT_MAX}).`,
    )
  return { min: MinCount, max: MaxCount }
}

/** EC2: the largest number between MinCount and MaxCount that can be launched, or the error for MinCount. */
function countThatFits({
  min,
  max,
  fits,
}: {
  min: number
  max: number
  fits: (count: number) => void
}): number {
  for (let count = max; count > min; count--) {
    try {
      fits(count)
      return count
    } catch (error) {
      if (!(error instanceof DeclaredError)) throw error
    }
  }
  fits(min)
  return min
}

function diskBytesOf(mappings: BlockDeviceMapping[] | undefined): number {
  if (!mappings?.length) return ROOT_BYTES
  const [root, ...others] = mappings
  if (others.length > 0 || root?.DeviceName !== ROOT_DEVICE)
    throw unsupported(`BlockDeviceMappings other than the root device ${ROOT_DEVICE}`)
  refuseOthers(root, ['DeviceName', 'Ebs'], (member) => unsupported(`BlockDeviceMappings.${member}`))
  // Volume type, IOPS and throughput have no effect: the volume is a file on the host's disk.
  refuseOthers(
    root.Ebs ?? {},
    ['VolumeSize', 'VolumeType', 'DeleteOnTermination', 'Iops', 'Throughput'],
    (member) => unsupported(`BlockDeviceMappings.Ebs.${member}`),
  )
  if (root.Ebs?.DeleteOnTermination === false)
    throw unsupported('BlockDeviceMappings.Ebs.DeleteOnTermination=false')
  const gib = root.Ebs?.VolumeSize ?? ROOT_BYTES / 2 ** 30
  if (gib < 1 || gib > ROOT_GIB_MAX)
    throw invalidValue(String(gib), 'volumeSize', `It must be between 1 and ${ROOT_GIB_MAX} GiB.`)
  return gib * 2 ** 30
}
