// Names and ARNs of groups and streams, by AWS's rules.
import type { Context } from '../context.ts'
import { invalid, violated } from './errors.ts'

const GROUP = /^[.\-_/#A-Za-z0-9]+$/
const GROUP_RULE = 'Member must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+'
const STREAM = /^[^:*]*$/
const STREAM_RULE = 'Member must satisfy regular expression pattern: [^:*]*'
const NAME_MAX = 512

export function checkGroupName(name: string | undefined, member = 'logGroupName'): string {
  checkLength(name ?? '', member)
  if (!GROUP.test(name ?? '')) throw violated(name, member, GROUP_RULE)
  return name!
}

/** Of a new one: names of AWS's own services are theirs. */
export function checkNewGroupName(given: string | undefined): string {
  const name = checkGroupName(given)
  if (/^aws\//i.test(name)) throw invalid('Log groups starting with AWS/ are reserved for AWS.')
  return name
}

export function checkStreamName(name: string | undefined, member = 'logStreamName'): string {
  checkLength(name ?? '', member)
  if (!STREAM.test(name ?? '')) throw violated(name, member, STREAM_RULE)
  return name!
}

function checkLength(name: string, member: string): void {
  if (name === '') throw violated(name, member, 'Member must have length greater than or equal to 1')
  if (name.length > NAME_MAX)
    throw violated(name, member, `Member must have length less than or equal to ${NAME_MAX}`)
}

type Owner = Pick<Context, 'account' | 'region'>

export const groupArn = ({ account, region }: Owner, name: string) =>
  `arn:aws:logs:${region}:${account}:log-group:${name}`

export const streamArn = (owner: Owner, group: string, stream: string) =>
  `${groupArn(owner, group)}:log-stream:${stream}`

/** Of an ARN as AWS shows it, with `:*` at its end or without; undefined: it is of no group of this account and region. */
export function groupOfArn(owner: Owner, arn: string): string | undefined {
  const prefix = groupArn(owner, '')
  return arn.startsWith(prefix) ? arn.slice(prefix.length).replace(/:\*$/, '') : undefined
}

type Named = { logGroupName?: string | undefined; logGroupIdentifier?: string | undefined }

/** The group that a request names, by its name or by its ARN. */
export function groupNamed(owner: Owner, { logGroupName, logGroupIdentifier }: Named): string {
  if (logGroupName !== undefined && logGroupIdentifier !== undefined)
    throw invalid('LogGroup name and LogGroup ARN are mutually exclusive parameters.')
  if (logGroupIdentifier === undefined && logGroupName === undefined)
    throw invalid('Either logGroupName or logGroupIdentifier must be given.')
  if (logGroupIdentifier?.startsWith('arn:'))
    return groupOfArn(owner, logGroupIdentifier) ?? logGroupIdentifier
  return checkGroupName(logGroupIdentifier ?? logGroupName)
}
