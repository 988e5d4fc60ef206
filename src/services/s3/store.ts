// Rows of the s3 service. A row names the body it owns or shares; a body without a row is garbage, never the reverse.
import type { Clock } from '../../kernel/clock.ts'
import type { Migration, Store } from '../../store/store.ts'
import type { Algorithm, ChecksumType } from './checksums.ts'

export const s3Migrations: Migration[] = [
  {
    id: 's3.1',
    sql: `
    create table s3_bucket (
      name text primary key, account text not null, region text not null, tags text not null,
      created_at integer not null) strict, without rowid;
    create table s3_object (
      bucket text not null references s3_bucket (name), key text not null, body_id text not null, bytes integer not null,
      etag text not null, md5_hex text not null, sha256_hex text not null, crc32_base64 text not null,
      checksum_algorithm text, checksum_value text, checksum_type text, parts text, upload_id text,
      content_type text not null, headers text not null, metadata text not null, tags text not null,
      modified_at integer not null, primary key (bucket, key)) strict, without rowid;
    create index s3_object_body on s3_object (body_id, bytes);
    create table s3_upload (
      id text primary key, bucket text not null references s3_bucket (name), key text not null,
      checksum_algorithm text, checksum_type text not null, content_type text not null, headers text not null,
      metadata text not null, tags text not null, created_at integer not null) strict, without rowid;
    create index s3_upload_key on s3_upload (bucket, key, id);
    create table s3_part (
      upload_id text not null references s3_upload (id) on delete cascade, number integer not null,
      body_id text not null, bytes integer not null, etag text not null, checksum_value text not null,
      modified_at integer not null, primary key (upload_id, number)) strict, without rowid;
    create table s3_garbage (body_id text primary key, since integer not null) strict, without rowid;`,
  },
]

export type BucketRow = { name: string; account: string; region: string; tags: string; createdAt: number }

/** What a client says of an object beside its bytes; the last three are JSON. */
export type Description = { contentType: string; headers: string; metadata: string; tags: string }

export type ObjectRow = Description & {
  bucket: string
  key: string
  bodyId: string
  bytes: number
  /** Without the quotes. */
  etag: string
  md5Hex: string
  sha256Hex: string
  crc32Base64: string
  checksumAlgorithm: Algorithm | null
  checksumValue: string | null
  checksumType: ChecksumType | null
  /** JSON of PartSummary[] when it was uploaded in parts. */
  parts: string | null
  uploadId: string | null
  modifiedAt: number
}
export type PartSummary = { number: number; bytes: number; checksum: string | null }

export type UploadRow = Description & {
  id: string
  bucket: string
  key: string
  checksumAlgorithm: Algorithm | null
  checksumType: ChecksumType
  createdAt: number
}
export type PartRow = {
  uploadId: string
  number: number
  bodyId: string
  bytes: number
  etag: string
  /** Of the upload's algorithm; CRC32 when it has none. */
  checksumValue: string
  modifiedAt: number
}

/** Every body that a row names, as `body_id`; a shared one may come twice. */
export const NAMED_BODIES = 'select body_id from s3_object union all select body_id from s3_part'

type Deps = { store: Store; clock: Clock }

export const bucketRow = (store: Store, name: string) =>
  store.get<BucketRow>('select * from s3_bucket where name = :name', { name })

export const objectRow = (store: Store, bucket: string, key: string) =>
  store.get<ObjectRow>('select * from s3_object where bucket = :bucket and key = :key', { bucket, key })

export const uploadRow = (store: Store, id: string) =>
  store.get<UploadRow>('select * from s3_upload where id = :id', { id })

export const partRows = (store: Store, uploadId: string) =>
  store.all<PartRow>('select * from s3_part where upload_id = :uploadId order by number', { uploadId })

/** Swaps in a row; the body that it had before becomes garbage, unless it keeps it. */
export function putObjectRow(deps: Deps, row: ObjectRow): void {
  const before = objectRow(deps.store, row.bucket, row.key)
  if (before && before.bodyId !== row.bodyId) discardBody(deps, before.bodyId)
  deps.store.put('s3_object', row)
}

export function removeObjectRow(deps: Deps, row: ObjectRow): void {
  discardBody(deps, row.bodyId)
  deps.store.remove('s3_object', { bucket: row.bucket, key: row.key })
}

/** Removes an upload and its parts, whose bodies become garbage. */
export function removeUploadRow(deps: Deps, id: string): void {
  for (const part of partRows(deps.store, id)) discardBody(deps, part.bodyId)
  deps.store.remove('s3_upload', { id })
}

/** Other rows may share it (CopyObject): the reconciler looks before it removes anything. */
export function discardBody({ store, clock }: Deps, bodyId: string): void {
  store.put('s3_garbage', { bodyId, since: clock.now() })
}

/** Bytes of all bodies that rows name (a shared one counts for each row). */
export function bytesUsed(store: Store): number {
  const used = store.get<{ bytes: number }>(
    'select (select coalesce(sum(bytes), 0) from s3_object) + (select coalesce(sum(bytes), 0) from s3_part) as bytes',
  )
  return used?.bytes ?? 0
}
