// The rules by which CompleteMultipartUpload chooses parts.
import type * as sdk from '@aws-sdk/client-s3'
import { entityTooSmall, invalidPart, invalidPartOrder, invalidRequest } from './errors.ts'
import { limits } from './limits.ts'
import type { PartRow, UploadRow } from './store.ts'

/** The kept part that entry `index` of the request names. Throws InvalidPartOrder, InvalidPart, EntityTooSmall. */
export function choosePart(
  upload: UploadRow,
  kept: Map<number, PartRow>,
  asked: sdk.CompletedPart[],
  index: number,
  one: sdk.CompletedPart,
): PartRow {
  const number = one.PartNumber ?? 0
  if (index > 0 && number <= (asked[index - 1]?.PartNumber ?? 0))
    throw invalidPartOrder({ UploadId: upload.id })
  const part = kept.get(number)
  const members = { UploadId: upload.id, PartNumber: String(number), ETag: one.ETag ?? '' }
  if (!part || part.etag !== one.ETag?.replaceAll('"', '')) throw invalidPart(members)
  const algorithm = upload.checksumAlgorithm
  if (algorithm) {
    const given = one[`Checksum${algorithm}`]
    const name = algorithm.toLowerCase()
    if (given === undefined && upload.checksumType === 'COMPOSITE')
      throw invalidRequest(
        `The upload was created using a ${name} checksum. The complete request must include the checksum for each part. It was missing for part ${number} in the request.`,
      )
    if (given !== undefined && given !== part.checksumValue) throw invalidPart(members)
  }
  if (index < asked.length - 1 && part.bytes < limits.partBytesMin)
    throw entityTooSmall({
      ...members,
      ProposedSize: String(part.bytes),
      MinSizeAllowed: String(limits.partBytesMin),
    })
  return part
}
