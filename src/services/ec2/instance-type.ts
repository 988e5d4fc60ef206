// Which type an instance may be on this machine.
import { DeclaredError } from '../../kernel/errors.ts'
import type { Store } from '../../store/store.ts'
import { capacityOf } from './capacity.ts'
import { DEFAULT_INSTANCE_TYPES, instanceTypes, type InstanceType } from './catalogue.ts'
import { printable } from './cidr.ts'

/** The type of that name, or the default one. What the machine is, is not known before its engine was first seen; then the
 *  engine decides. Throws `InvalidParameterValue`. */
export function typeNamed(store: Store, name: string | undefined): InstanceType {
  const architecture = capacityOf(store)?.architecture
  const type = instanceTypes.get(name ?? DEFAULT_INSTANCE_TYPES[architecture ?? 'x86_64'])
  if (!type)
    throw new DeclaredError(
      'InvalidParameterValue',
      `Invalid value '${printable(name ?? '')}' for InstanceType.`,
    )
  if (architecture !== undefined && type.architecture !== architecture)
    throw new DeclaredError(
      'InvalidParameterValue',
      `The architecture '${type.architecture}' of the specified instance type does not match the architecture ` +
        `'${architecture}' of the specified AMI. Specify an instance type and an AMI that have matching architectures, ` +
        `and try again. You can use 'describe-instance-types' or 'describe-images' to discover the architecture of ` +
        `the instance type or AMI.`,
    )
  return type
}
