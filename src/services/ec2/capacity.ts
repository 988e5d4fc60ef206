// Whether an instance fits. What the machine has, and what instances use of it, is the engine's word, kept in rows by the
// reconcilers, since operations do not call engines.
import { DeclaredError } from '../../kernel/errors.ts'
import type { Store } from '../../store/store.ts'
import { instanceTypes, type InstanceType } from './catalogue.ts'
import type { CapacityRow } from './store.ts'

export const capacityOf = (store: Store) => store.get<CapacityRow>('select * from ec2_capacity limit 1')

/** Of the image, and so of every instance. */
export const machineArchitecture = (store: Store): InstanceType['architecture'] =>
  capacityOf(store)?.architecture ?? 'x86_64'

/** A type's memory is a limit, not a reservation: a web application uses a small part of it. Each instance counts with
 *  what it uses, and at least with this part of its type. Design §9 wants 200 live environments of t3.micro in 24 GiB;
 *  one that grows is met by its own limit, and by the next launch that does not fit any more. */
export const MEMORY_OVERCOMMIT = 10

type Used = { id: string; instanceType: string; environment: string | null; usedBytes: number | null }

/** Throws `InsufficientInstanceCapacity` when what other programs use leaves no memory for all instances and `count` more. */
export function requireCapacity(
  store: Store,
  type: InstanceType,
  count: number,
  zone: string,
  overcommit: number = MEMORY_OVERCOMMIT,
): void {
  const capacity = capacityOf(store)
  if (!capacity) return // the engine was not seen yet; it refuses what does not fit
  const users = store
    .all<Used>(
      `select i.id, i.instance_type, m.used_bytes, t.value as environment from ec2_instance i
       left join ec2_instance_memory m on m.instance_id = i.id
       left join ec2_tag t on t.resource_id = i.id and t.key = 'elasticbeanstalk:environment-name'
       where i.state not in ('terminated', 'stopped')`,
    )
    .map((one) => ({ ...one, bytes: countedBytes(one, overcommit) }))
  const used = users.reduce((sum, { bytes }) => sum + bytes, 0)
  const wanted = (count * type.memoryMiB * 2 ** 20) / overcommit
  const others = capacity.otherMemoryBytes
  if (others + used + wanted <= capacity.memoryBytes) return
  throw new DeclaredError(
    'InsufficientInstanceCapacity',
    `We currently do not have sufficient ${type.name} capacity in the Availability Zone you requested (${zone}). ` +
      `Of this machine's ${mib(capacity.memoryBytes)}, other programs use ${mib(others)}, and ${mib(used)} are taken by ` +
      `instances: each counts with what it uses, and at least 1/${overcommit} of its type${largest(users)}. ` +
      `${count} of type ${type.name} need ${mib(wanted)}. End other programs, terminate or scale down an environment, ` +
      'choose a smaller instance type, or lend out more (budgets.memoryOvercommit).',
    { httpStatus: 500 },
  )
}

const countedBytes = ({ instanceType, usedBytes }: Used, overcommit: number) =>
  Math.max(usedBytes ?? 0, ((instanceTypes.get(instanceType)?.memoryMiB ?? 0) * 2 ** 20) / overcommit)

function largest(users: (Used & { bytes: number })[]): string {
  if (users.length === 0) return ''
  const shown = users.toSorted((a, b) => b.bytes - a.bytes).slice(0, USERS_SHOWN)
  const rest = users.length - shown.length
  const named = shown.map(
    ({ id, environment, bytes }) => `${id} (${environment ?? 'no environment'}) ${mib(bytes)}`,
  )
  return `; most by ${named.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`
}

const USERS_SHOWN = 3
const mib = (bytes: number) => `${Math.ceil(bytes / 2 ** 20)} MiB`

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
