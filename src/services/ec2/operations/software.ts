// What AWS keeps inside itself: the software that Beanstalk's agent installs on an instance (cloud.ts).
import type { Context } from '../../context.ts'
import type { Ec2Internal } from '../../cloud.ts'
import type { Ec2Deps } from '../deps.ts'
import { noInstance } from '../errors.ts'
import { instanceOf, softwareOf, type SoftwareRow } from '../store.ts'

type Software = Pick<Ec2Internal, 'putInstanceSoftware' | 'instanceSoftware' | 'layersInUse'>

export function makeSoftwareOperations({ store, clock }: Ec2Deps): Software {
  return {
    putInstanceSoftware(context, instanceId, intent) {
      store.transaction(() => {
        const { account, region } = context
        const instance = instanceOf(store, context, instanceId)
        if (!instance || instance.desired === 'terminated') throw noInstance([instanceId])
        const before = softwareOf(store, instanceId)
        const row: SoftwareRow = {
          instanceId,
          account,
          region,
          revision: (before?.revision ?? 0) + 1,
          intent: JSON.stringify(intent),
          putAt: clock.now(),
          state: 'pending',
          output: '',
          checkedRevision: before?.checkedRevision ?? 0,
          checkedBoot: before?.checkedBoot ?? '',
        }
        store.put('ec2_instance_software', row)
      })
    },
    instanceSoftware(context: Context, instanceId: string) {
      const row = instanceOf(store, context, instanceId) && softwareOf(store, instanceId)
      return row && { revision: row.revision, state: row.state, output: row.output }
    },
    layersInUse: () =>
      store
        .all<{ digest: string }>(
          `select distinct json_extract(layer.value, '$.digest') as digest
           from ec2_instance_software software join ec2_instance instance on instance.id = software.instance_id,
             json_each(software.intent, '$.layers') layer where instance.state <> 'terminated'`,
        )
        .map(({ digest }) => digest),
  }
}
