// Whether an instance fits. What the machine has is the engine's word, kept in a row by the reconciler, since
// operations do not call engines.
import { DeclaredError } from '../../kernel/errors.ts'
import type { Store } from '../../store/store.ts'
import { instanceTypes, type InstanceType } from './catalogue.ts'
import type { CapacityRow } from './store.ts'

export const capacityOf = (store: Store) => store.get<CapacityRow>('select * from ec2_capacity limit 1')

/** Of the image, and so of every instance. */
export const machineArchitecture = (store: Store): InstanceType['architecture'] =>
  capacityOf(store)?.architecture ?? 'x86_64'

/** A type's memory is a limit, not a reservation: a web application uses a small part of it. Design §9 wants 200 live
 *  environments of t3.micro in 24 GiB; what really runs out is met by the limit of the one instance that grew. */
export const MEMORY_OVERCOMMIT = 10

/** Throws `InsufficientInstanceCapacity` when the memory of all instances and `count` more is not there. */
export function requireCapacity(store: Store, type: InstanceType, count: number, zone: string): void {
  const capacity = capacityOf(store)
  if (!capacity) return // the engine was not seen yet; it refuses what does not fit
  const used = store
    .all<{ instanceType: string }>(
      "select instance_type from ec2_instance where state not in ('terminated', 'stopped')",
    )
    .reduce((sum, row) => sum + (instanceTypes.get(row.instanceType)?.memoryMiB ?? 0), 0)
  if ((used + count * type.memoryMiB) * 2 ** 20 <= capacity.memoryBytes * MEMORY_OVERCOMMIT) return
  throw new DeclaredError(
    'InsufficientInstanceCapacity',
    `We currently do not have sufficient ${type.name} capacity in the Availability Zone you requested (${zone}). ` +
      `Of this machine's ${Math.floor(capacity.memoryBytes / 2 ** 20)} MiB (lent ${MEMORY_OVERCOMMIT} times over), instances have ${used} MiB, and ${count} of type ${type.name} need ${count * type.memoryMiB} MiB.`,
    { httpStatus: 500 },
  )
}

/** Throws `InstanceLimitExceeded` when there would be more instances than the home's owner allows (null = no limit). */
export function requireWithinLimit(store: Store, count: number, instancesMax: number | null): void {
  if (instancesMax === null) return
  const row = store.get<{ there: number }>(
    "select count(*) as there from ec2_instance where state not in ('terminated', 'shutting-down')",
  )
  const there = row?.there ?? 0
  if (there + count <= instancesMax) return
  throw new DeclaredError(
    'InstanceLimitExceeded',
    `You have requested more instances (${there + count}) than your current instance limit of ${instancesMax} allows ` +
      'for this home (limits.instances in its config.yaml).',
  )
}
