// AWS's limits, and two of our own. Bytes unless the name says otherwise.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html

const MiB = 1024 ** 2
const GiB = 1024 ** 3

export const limits = {
  /** One PUT, one part, one CopyObject. */
  objectBytesMax: 5 * GiB,
  partBytesMin: 5 * MiB,
  partsMax: 10_000,
  keyBytesMax: 1024,
  metadataBytesMax: 2048,
  /** Entries of one listing page, keys of one DeleteObjects. */
  listEntriesMax: 1000,
  objectTagsMax: 10,
  bucketTagsMax: 50,
  bucketsMax: 10_000,
  /** Ours: all bodies of a home together. */
  homeBytesMax: 1024 * GiB,
  /** Ours: how long a body stays after its last row went, so that who just asked for its path can still open it. */
  bodyGraceMs: 60_000,
} as const
