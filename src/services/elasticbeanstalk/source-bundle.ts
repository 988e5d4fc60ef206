// Where the bytes of a version's source bundle lie now: an object that is written again, with the same content, has
// another body, and the one before is swept.
import { systemContext } from '../service.ts'
import type { Parts } from './parts.ts'
import type { ApplicationVersionRow } from './store.ts'

/** The body that holds the version's content; undefined when its object was changed or deleted. */
export function followBody({ store, cloud }: Parts, version: ApplicationVersionRow) {
  const { account, region, applicationName, label, bucket, key, sha256Hex } = version
  if (bucket === null || key === null) return undefined
  const body = cloud.s3.objectBody(systemContext(account, region, version.requestId), bucket, key)
  if (body?.sha256Hex !== sha256Hex) return undefined
  store.update('application_version', { account, region, applicationName, label }, { bodyId: body.id })
  return body
}

/** A path to a bundle of that content, of whichever version has it. */
export function bundlePath(parts: Parts, sha256Hex: string): string | undefined {
  const versions = parts.store.all<ApplicationVersionRow>(
    'select * from application_version where sha256_hex = :sha256Hex order by updated_at desc',
    { sha256Hex },
  )
  for (const version of versions) {
    const body = followBody(parts, version)
    if (body) return parts.objects.path(body.id)
  }
  return undefined
}
