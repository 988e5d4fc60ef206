import { DeclaredError } from '../../../kernel/errors.ts'
import type { Ec2Operations } from '../../generated/ec2.ts'
import type { Ec2Deps } from '../deps.ts'
import { missing, noInstance } from '../errors.ts'
import { describeOptions, optionsOf, requireTagKeys, withOptions } from '../metadata/options.ts'
import { instanceOf, tagsOf } from '../store.ts'

type Implemented = Pick<Ec2Operations, 'modifyInstanceMetadataOptions'>

export function makeMetadataOptionsOperations({ store }: Ec2Deps): Implemented {
  return {
    // In force from the instance's next question on, whether it runs or not.
    modifyInstanceMetadataOptions(context, { InstanceId: id, ...asked }) {
      if (!id) throw missing('InstanceId')
      const row = instanceOf(store, context, id)
      if (!row) throw noInstance([id])
      if (row.desired === 'terminated')
        throw new DeclaredError(
          'IncorrectInstanceState',
          `The instance '${id}' is not in a state from which its metadata options can be modified.`,
        )
      const options = withOptions(optionsOf(row), asked)
      requireTagKeys(
        options,
        tagsOf(store, id).map(({ key }) => key),
      )
      const metadataOptions = JSON.stringify(options)
      store.update('ec2_instance', { id }, { metadataOptions })
      return { InstanceId: id, InstanceMetadataOptions: describeOptions({ metadataOptions }) }
    },
  }
}
