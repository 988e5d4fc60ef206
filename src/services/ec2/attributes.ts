// What can be changed of an instance: the forms of ModifyInstanceAttribute as one list of changes, each checked.
import type { ModifyInstanceAttributeRequest } from '@aws-sdk/client-ec2'
import { DeclaredError } from '../../kernel/errors.ts'
import type { Context } from '../context.ts'
import { printable } from './cidr.ts'
import type { Ec2Deps } from './deps.ts'
import { invalidValue, missing, unsupported } from './errors.ts'
import { requireGroups } from './groups.ts'
import { typeNamed } from './instance-type.ts'
import type { InstanceRow, NetworkInterfaceRow } from './store.ts'
import { checkUserData } from './user-data.ts'

/** Columns of the instance and of its interface that change. */
export type AttributeChange = { instance?: Partial<InstanceRow>; interface?: Partial<NetworkInterfaceRow> }

type Values = {
  instanceType?: string
  groupSet?: string[]
  /** Base64. */
  userData?: string
  disableApiTermination?: boolean
  disableApiStop?: boolean
  instanceInitiatedShutdownBehavior?: string
  sourceDestCheck?: boolean
  ebsOptimized?: boolean
}

/** Throws AWS's errors for what is not there, may not be changed now, or has no effect here. */
export function changeOf(
  deps: Ec2Deps,
  context: Context,
  row: InstanceRow,
  input: ModifyInstanceAttributeRequest,
): AttributeChange {
  const values = valuesOf(input)
  const [name, ...others] = Object.keys(values) as (keyof Values)[]
  if (!name) throw missing('attribute')
  if (others.length > 0)
    throw new DeclaredError(
      'InvalidParameterCombination',
      `Fields for multiple attribute types specified: ${[name, ...others].join(', ')}`,
    )
  if (row.desired === 'terminated')
    throw new DeclaredError(
      'IncorrectInstanceState',
      `The instance '${row.id}' is not in a state from which its attributes can be modified.`,
    )
  switch (name) {
    case 'instanceType':
      requireStopped(row)
      return { instance: { instanceType: typeNamed(deps.store, values.instanceType).name } }
    case 'userData':
      requireStopped(row)
      return { instance: { userData: checkUserData(values.userData) } }
    case 'groupSet': {
      if (!values.groupSet?.length) throw missing('groupId')
      return { interface: { groups: JSON.stringify(requireGroups(deps, context, values.groupSet)) } }
    }
    case 'disableApiTermination':
      return { instance: { disableApiTermination: values.disableApiTermination ? 1 : 0 } }
    case 'disableApiStop':
      return { instance: { disableApiStop: values.disableApiStop ? 1 : 0 } }
    case 'instanceInitiatedShutdownBehavior':
      requireStops(values.instanceInitiatedShutdownBehavior)
      return {}
    case 'sourceDestCheck':
      if (!values.sourceDestCheck) throw unsupported('SourceDestCheck=false')
      return {}
    case 'ebsOptimized':
      if (values.ebsOptimized) throw unsupported('EbsOptimized=true')
      return {}
  }
}

/** Of instances that end by themselves: they are brought back, which is nearer to `stop` than to `terminate`. */
export function requireStops(behavior: string | undefined): void {
  if (behavior && behavior !== 'stop')
    throw unsupported(`InstanceInitiatedShutdownBehavior=${printable(behavior)}`)
}

function requireStopped(row: InstanceRow) {
  if (row.state !== 'stopped')
    throw new DeclaredError(
      'IncorrectInstanceState',
      `The instance '${row.id}' is not in the 'stopped' state.`,
    )
}

// A member of its own for each attribute, or the name of one and its value.
function valuesOf(input: ModifyInstanceAttributeRequest): Values {
  const given: Values = {
    instanceType: input.InstanceType?.Value,
    groupSet: input.Groups,
    userData: input.UserData && Buffer.from(input.UserData.Value ?? []).toString('base64'),
    disableApiTermination: input.DisableApiTermination?.Value,
    disableApiStop: input.DisableApiStop?.Value,
    instanceInitiatedShutdownBehavior: input.InstanceInitiatedShutdownBehavior?.Value,
    sourceDestCheck: input.SourceDestCheck?.Value,
    ebsOptimized: input.EbsOptimized?.Value,
    ...named(input),
  }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}

function named({ Attribute, Value }: ModifyInstanceAttributeRequest): Values {
  if (!Attribute) {
    if (Value !== undefined) throw missing('attribute')
    return {}
  }
  if (Value === undefined) throw missing('value')
  switch (Attribute) {
    case 'instanceType':
    case 'userData':
    case 'instanceInitiatedShutdownBehavior':
      return { [Attribute]: Value }
    case 'disableApiTermination':
    case 'disableApiStop':
    case 'sourceDestCheck':
    case 'ebsOptimized':
      if (Value !== 'true' && Value !== 'false')
        throw invalidValue(printable(Value), 'value', 'It must be true or false.')
      return { [Attribute]: Value === 'true' }
    case 'groupSet':
      return { groupSet: [Value] }
    default:
      throw unsupported(`Attribute=${printable(Attribute)}`)
  }
}
