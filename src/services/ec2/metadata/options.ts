// How an instance may read its metadata: the members that RunInstances, launch templates and ModifyInstanceMetadataOptions
// share, checked, and what is kept of them.
import type { InstanceMetadataOptionsResponse } from '@aws-sdk/client-ec2'
import { DeclaredError } from '../../../kernel/errors.ts'
import { refuseOthers } from '../../parameters.ts'
import { printable } from '../cidr.ts'
import { invalidValue, unsupported } from '../errors.ts'

export type MetadataOptions = {
  HttpTokens: 'optional' | 'required'
  HttpEndpoint: 'enabled' | 'disabled'
  HttpPutResponseHopLimit: number
  InstanceMetadataTags: 'enabled' | 'disabled'
}

/** What AWS gives to an instance of an image with `ImdsSupport` = `v2.0`, as Amazon Linux 2023 has and the one image here. */
export const METADATA_DEFAULTS: MetadataOptions = {
  HttpTokens: 'required',
  HttpEndpoint: 'enabled',
  HttpPutResponseHopLimit: 2,
  InstanceMetadataTags: 'disabled',
}

/** AWS: from 1 to 64. What it limits, packets that an instance forwards, does not exist here: instances cannot forward. So
 *  each value is in force. */
const HOP_LIMIT_MAX = 64

type Given = {
  HttpTokens?: string
  HttpEndpoint?: string
  HttpPutResponseHopLimit?: number
  InstanceMetadataTags?: string
  HttpProtocolIpv6?: string
}

/** The options of before with what was asked. Throws for values that AWS does not have, and for what has no effect here. */
export function withOptions(before: MetadataOptions, asked: Given = {}): MetadataOptions {
  refuseOthers(asked, [...Object.keys(METADATA_DEFAULTS), 'HttpProtocolIpv6'] as (keyof Given)[], (member) =>
    unsupported(`MetadataOptions.${member}`),
  )
  const word = <Word extends string>(member: keyof Given, words: readonly Word[], otherwise: Word): Word => {
    const value = asked[member]
    if (value === undefined) return otherwise
    const known = words.find((one) => one === value)
    if (known === undefined)
      throw invalidValue(printable(String(value)), member, `Valid values: ${words.join(', ')}.`)
    return known
  }
  const SWITCH = ['enabled', 'disabled'] as const
  if (word('HttpProtocolIpv6', SWITCH, 'disabled') === 'enabled')
    throw unsupported('MetadataOptions.HttpProtocolIpv6=enabled')
  const hops = asked.HttpPutResponseHopLimit ?? before.HttpPutResponseHopLimit
  if (!Number.isInteger(hops) || hops < 1 || hops > HOP_LIMIT_MAX)
    throw invalidValue(String(hops), 'HttpPutResponseHopLimit', `It must be between 1 and ${HOP_LIMIT_MAX}.`)
  return {
    HttpTokens: word('HttpTokens', ['optional', 'required'], before.HttpTokens),
    HttpEndpoint: word('HttpEndpoint', SWITCH, before.HttpEndpoint),
    HttpPutResponseHopLimit: hops,
    InstanceMetadataTags: word('InstanceMetadataTags', SWITCH, before.InstanceMetadataTags),
  }
}

export const optionsOf = (row: { metadataOptions: string }): MetadataOptions => ({
  ...METADATA_DEFAULTS,
  ...(JSON.parse(row.metadataOptions) as Partial<MetadataOptions>),
})

/** They are in force once they are kept: each question is answered by the rows. */
export const describeOptions = (row: { metadataOptions: string }): InstanceMetadataOptionsResponse => ({
  State: 'applied',
  ...optionsOf(row),
  HttpProtocolIpv6: 'disabled',
})

/** Tags that are read by their keys as parts of a path: AWS refuses others while an instance shows its tags. */
export function requireTagKeys({ InstanceMetadataTags }: MetadataOptions, keys: string[]): void {
  if (InstanceMetadataTags === 'disabled') return
  const wrong = keys.find((key) => !/^[\w\-+=,.@:]{1,255}$/.test(key) || RESERVED.has(key))
  if (wrong !== undefined)
    throw new DeclaredError(
      'InvalidParameterValue',
      `'${printable(wrong)}' is not a valid tag key. Tag keys must match pattern ([0-9a-zA-Z\\-_+=,.@:]{1,255}), and must not be a reserved name ('.', '..', '_index')`,
    )
}

const RESERVED = new Set(['.', '..', '_index'])
