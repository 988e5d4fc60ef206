// S3: buckets and objects. Bodies go through the object engine, everything else is rows.
import type { ObjectEngine } from '../../engines/objects/engine.ts'
import type { S3Internal } from '../cloud.ts'
import type { ServiceDeps } from '../service.ts'
import type { S3 } from './bodies.ts'
import { makeBucketSettings } from './operations/bucket-settings.ts'
import { ensureBucket, makeBucketOperations } from './operations/bucket.ts'
import { makeObjectDeletes } from './operations/object-delete.ts'
import { makeObjectListings } from './operations/object-list.ts'
import { makeObjectReads } from './operations/object-read.ts'
import { makeObjectTagging } from './operations/object-tagging.ts'
import { makeObjectWrites } from './operations/object-write.ts'
import { makePartOperations } from './operations/part.ts'
import { makeUploadOperations } from './operations/upload.ts'
import { makeBodiesReconciler } from './reconcilers.ts'
import { bucketRow, bytesUsed, objectRow } from './store.ts'

export { s3Migrations } from './store.ts'

export function makeS3Service(deps: ServiceDeps, objects: ObjectEngine, room: S3['room']) {
  const s3: S3 = { ...deps, objects, room, bodiesUnderWay: new Set() }
  const operations = {
    ...makeBucketOperations(s3),
    ...makeBucketSettings(s3),
    ...makeObjectWrites(s3),
    ...makeObjectReads(s3),
    ...makeObjectDeletes(s3),
    ...makeObjectListings(s3),
    ...makeObjectTagging(s3),
    ...makeUploadOperations(s3),
    ...makePartOperations(s3),
  }
  const internal: S3Internal = {
    objectBody(context, bucket, key) {
      const row = objectRow(s3.store, bucket, key)
      if (!row || bucketRow(s3.store, bucket)?.account !== context.account) return undefined
      return { id: row.bodyId, bytes: row.bytes, sha256Hex: row.sha256Hex }
    },
    bytesUsed: () => bytesUsed(s3.store),
    hasBucket: ({ account }, bucket) => bucketRow(s3.store, bucket)?.account === account,
    ensureBucket: (context, bucket) => ensureBucket(s3, context, bucket),
  }
  return { operations, internal, reconcilers: [makeBodiesReconciler(s3)], workflows: [] }
}
