// Errors of ec2, worded as AWS words them.
import { DeclaredError } from '../../kernel/errors.ts'
import type { Paging } from '../parameters.ts'

/** Refuses what Polebean does not do (design §2.12). */
export const unsupported = (member: string) =>
  new DeclaredError('UnsupportedOperation', `The parameter ${member} is not supported by Polebean.`)

export const missing = (member: string) =>
  new DeclaredError('MissingParameter', `The request must contain the parameter ${member}`)

export const invalidValue = (value: string, member: string, why: string) =>
  new DeclaredError('InvalidParameterValue', `Value (${value}) for parameter ${member} is invalid. ${why}`)

/** `MaxResults`: 5 to 1,000 in most operations. */
export const paging = (most = 1000): Paging => ({
  fallback: most,
  least: 5,
  most,
  badSize: (size) => invalidValue(String(size), 'maxResults', `Expecting a value between 5 and ${most}.`),
  badToken: () => new DeclaredError('InvalidNextToken', 'The specified paging token is invalid or expired.'),
})

/** `InvalidInstanceID.Malformed` or `.NotFound`, as EC2 tells them apart. */
export function noInstance(ids: string[]): DeclaredError {
  const malformed = ids.find((id) => !/^i-([0-9a-f]{8}|[0-9a-f]{17})$/.test(id))
  if (malformed !== undefined)
    return new DeclaredError('InvalidInstanceID.Malformed', `Invalid id: "${malformed}"`)
  return ids.length === 1
    ? new DeclaredError('InvalidInstanceID.NotFound', `The instance ID '${ids[0]}' does not exist`)
    : new DeclaredError('InvalidInstanceID.NotFound', `The instance IDs '${ids.join(', ')}' do not exist`)
}

export const noSecurityGroup = (id: string) =>
  /^sg-[0-9a-f]+$/.test(id)
    ? new DeclaredError('InvalidGroup.NotFound', `The security group '${id}' does not exist`)
    : new DeclaredError('InvalidGroupId.Malformed', `Invalid id: "${id}" (expecting "sg-...")`)

export const noSubnet = (id: string) =>
  new DeclaredError('InvalidSubnetID.NotFound', `The subnet ID '${id}' does not exist`)

export const noVpc = (id: string) =>
  new DeclaredError('InvalidVpcID.NotFound', `The vpc ID '${id}' does not exist`)

export const noInterface = (id: string) =>
  new DeclaredError('InvalidNetworkInterfaceID.NotFound', `The networkInterface ID '${id}' does not exist`)
