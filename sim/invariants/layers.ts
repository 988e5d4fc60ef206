// Layers: nothing loses one that it still needs, and at rest there is none that nobody needs.
import { CACHES_BYTES, type World } from '../world.ts'

/** Every layer that the software of an instance names is there. */
export function layersThere({ store, compute }: World): string[] {
  const used = store.all<{ id: string; digest: string }>(
    `select s.instance_id as id, json_extract(layer.value, '$.digest') as digest
     from ec2_instance_software s join ec2_instance i on i.id = s.instance_id, json_each(s.intent, '$.layers') layer
     where i.state <> 'terminated'`,
  )
  return used.flatMap(({ id, digest }) =>
    compute.layers.has(digest) ? [] : [`the layer ${digest}, which ${id} needs, is gone`],
  )
}

/** Rows and layers are the same, and each is named by a version, a deployment or an instance. */
export function layersAtRest({ store, compute }: World): string[] {
  const rows = store.all<{ key: string; state: string; digest: string }>('select * from layer')
  const there = [...compute.layers.values()]
  const fits = there.reduce((sum, { bytes }) => sum + bytes, 0) <= CACHES_BYTES
  const named = new Set(
    store
      .all<{ name: string }>(
        `select layer_key as name from application_version_layer
         union select value from deployment d join environment e on e.id = d.environment_id, json_each(d.layers)
           where e.terminated_at is null
         union select json_extract(layer.value, '$.digest') from ec2_instance_software s
           join ec2_instance i on i.id = s.instance_id, json_each(s.intent, '$.layers') layer where i.state <> 'terminated'`,
      )
      .map(({ name }) => name),
  )
  return [
    ...rows.flatMap(({ key, state, digest }) =>
      state === 'failed' || (state === 'ready' && compute.layers.has(digest))
        ? []
        : [`the layer ${key} is ${state}${state === 'ready' ? ' and gone' : ''}`],
    ),
    ...there.flatMap(({ key, digest }) => [
      ...(rows.some((row) => row.key === key) ? [] : [`the layer ${key} has no row`]),
      ...(named.has(key) || named.has(digest) || fits
        ? []
        : [`the layer ${key} is named by nobody, and the caches are above their budget`]),
    ]),
  ]
}
