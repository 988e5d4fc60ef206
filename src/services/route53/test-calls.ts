// Calls of Route 53 as tests make them.
import type { Change, ResourceRecordSet } from '@aws-sdk/client-route-53'
import type { ServicesWorld } from '../testing/services-world.ts'

export const set = (
  Name: string,
  Type: ResourceRecordSet['Type'],
  values: string[],
  more: Partial<ResourceRecordSet> = {},
): ResourceRecordSet => ({
  Name,
  Type,
  TTL: 60,
  ResourceRecords: values.map((Value) => ({ Value })),
  ...more,
})
export const put = (...sets: ResourceRecordSet[]): Change[] =>
  sets.map((one) => ({ Action: 'UPSERT', ResourceRecordSet: one }))
export const alias = (
  Name: string,
  DNSName: string,
  more: Partial<ResourceRecordSet> = {},
): ResourceRecordSet => ({
  ...{
    Name,
    Type: 'A',
    AliasTarget: { HostedZoneId: 'Z35SXDOTRQ7X7K', DNSName, EvaluateTargetHealth: true },
  },
  ...more,
})

export function makeCalls(world: () => ServicesWorld) {
  const api = () => world().route53
  const create = (Name: string, CallerReference = Name) =>
    api().createHostedZone(world().context, { Name, CallerReference })
  const zoneId = (name = 'example.com') => create(name).HostedZone!.Id!.replace('/hostedzone/', '')
  const change = (HostedZoneId: string, ...Changes: Change[]) =>
    api().changeResourceRecordSets(world().context, { HostedZoneId, ChangeBatch: { Changes } }).ChangeInfo!
  const list = (HostedZoneId: string, input: object = {}) =>
    api().listResourceRecordSets(world().context, { HostedZoneId, ...input })
  const named = (HostedZoneId: string) =>
    list(HostedZoneId).ResourceRecordSets!.map(({ Name, Type }) => `${Name} ${Type}`)
  const status = (Id: string) => api().getChange(world().context, { Id }).ChangeInfo!.Status
  return { api, create, zoneId, change, list, named, status }
}
