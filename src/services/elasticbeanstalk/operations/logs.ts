import type { ElasticbeanstalkOperations } from '../../generated/elasticbeanstalk.ts'
import { ofEnvironment } from '../events.ts'
import { KEPT_MS, type EnvironmentInfoRow, type InfoType } from '../logs.ts'
import type { Parts } from '../parts.ts'
import { instancesOf } from '../store.ts'
import { invalidValue, notImplemented } from '../validation.ts'
import { findEnvironment } from './find-environment.ts'

type Operations = Pick<ElasticbeanstalkOperations, 'requestEnvironmentInfo' | 'retrieveEnvironmentInfo'>

export function makeLogOperations(parts: Parts): Operations {
  const { store, clock, events, presign } = parts
  return {
    requestEnvironmentInfo(context, input) {
      const row = findEnvironment(store, context, input)
      const infoType = infoTypeOf(input.InfoType)
      events.write(ofEnvironment(row, context.requestId), 'INFO', 'requestEnvironmentInfo is starting.')
      const instances = instancesOf(store, row.id)
      if (instances.length === 0)
        events.write(
          ofEnvironment(row, context.requestId),
          'ERROR',
          'Failed to pull logs for environment instances. There are no instances.',
        )
      for (const { instanceId } of instances)
        store.put('environment_info', {
          environmentId: row.id,
          infoType,
          instanceId,
          bucket: null,
          key: null,
          requestId: context.requestId,
          state: 'wanted',
          requestedAt: clock.now(),
          sampledAt: null,
        })
      return {}
    },

    retrieveEnvironmentInfo(context, input) {
      const row = findEnvironment(store, context, input)
      const infoType = infoTypeOf(input.InfoType)
      const samples = store.all<EnvironmentInfoRow>(
        `select * from environment_info where environment_id = :id and info_type = :infoType and state = 'done'
         order by instance_id`,
        { id: row.id, infoType },
      )
      return {
        EnvironmentInfo: samples.flatMap(({ instanceId, bucket, key, sampledAt }) =>
          bucket && key
            ? [
                {
                  InfoType: infoType,
                  Ec2InstanceId: instanceId,
                  SampleTimestamp: new Date(sampledAt ?? 0),
                  Message: presign(context, bucket, key, KEPT_MS / 1000),
                },
              ]
            : [],
        ),
      }
    },
  }
}

function infoTypeOf(type: string | undefined): InfoType {
  if (type === 'tail' || type === 'bundle') return type
  if (type === 'analyze') throw notImplemented('InfoType=analyze')
  throw invalidValue(
    `Value '${type}' at 'infoType' failed to satisfy constraint: Member must satisfy enum value set: [tail, bundle]`,
  )
}
