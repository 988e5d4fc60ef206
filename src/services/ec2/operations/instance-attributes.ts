import type { DescribeInstanceAttributeCommandOutput } from '@aws-sdk/client-ec2'
import type { Context } from '../../context.ts'
import type { Ec2Operations } from '../../generated/ec2.ts'
import { changeOf } from '../attributes.ts'
import { printable } from '../cidr.ts'
import type { Ec2Deps } from '../deps.ts'
import { invalidValue, missing, noInstance, unsupported } from '../errors.ts'
import { ROOT_DEVICE } from '../image.ts'
import { instanceOf, networkInterfaceOf, type InstanceRow } from '../store.ts'

type Implemented = Pick<Ec2Operations, 'modifyInstanceAttribute' | 'describeInstanceAttribute'>
type Attribute = Omit<DescribeInstanceAttributeCommandOutput, '$metadata'>

export function makeInstanceAttributeOperations(deps: Ec2Deps): Implemented {
  const { store } = deps

  function find(context: Context, id: string | undefined): InstanceRow {
    if (!id) throw missing('instanceId')
    const row = instanceOf(store, context, id)
    if (!row) throw noInstance([id])
    return row
  }

  function describe(context: Context, row: InstanceRow, name: string): Attribute {
    const groups = networkInterfaceOf(store, context, row.networkInterfaceId)?.groups ?? '[]'
    const flag = (Value: number | boolean) => ({ Value: Boolean(Value) })
    switch (name) {
      case 'instanceType':
        return { InstanceType: { Value: row.instanceType } }
      case 'userData':
        return { UserData: row.userData === null ? {} : { Value: row.userData } }
      case 'groupSet':
        return { Groups: (JSON.parse(groups) as string[]).map((GroupId) => ({ GroupId })) }
      case 'disableApiTermination':
        return { DisableApiTermination: flag(row.disableApiTermination) }
      case 'disableApiStop':
        return { DisableApiStop: flag(row.disableApiStop) }
      case 'instanceInitiatedShutdownBehavior':
        return { InstanceInitiatedShutdownBehavior: { Value: 'stop' } }
      case 'sourceDestCheck':
        return { SourceDestCheck: flag(true) }
      case 'ebsOptimized':
        return { EbsOptimized: flag(false) }
      case 'enaSupport':
        return { EnaSupport: flag(true) }
      case 'enclaveOptions':
        return { EnclaveOptions: { Enabled: false } }
      case 'rootDeviceName':
        return { RootDeviceName: { Value: ROOT_DEVICE } }
      case 'blockDeviceMapping':
        return { BlockDeviceMappings: [] }
      case 'productCodes':
        return { ProductCodes: [] }
      case 'kernel':
        return { KernelId: {} }
      case 'ramdisk':
        return { RamdiskId: {} }
      case 'sriovNetSupport':
        throw unsupported('Attribute=sriovNetSupport')
      default:
        throw invalidValue(printable(name), 'attribute', 'Unknown attribute.')
    }
  }

  return {
    modifyInstanceAttribute(context, input) {
      const row = find(context, input.InstanceId)
      const change = changeOf(deps, context, row, input)
      if (change.instance) store.update('ec2_instance', { id: row.id }, change.instance)
      if (change.interface)
        store.update('ec2_network_interface', { id: row.networkInterfaceId }, change.interface)
      return {}
    },
    describeInstanceAttribute(context, input) {
      const row = find(context, input.InstanceId)
      if (!input.Attribute) throw missing('attribute')
      return { InstanceId: row.id, ...describe(context, row, input.Attribute) }
    },
  }
}
