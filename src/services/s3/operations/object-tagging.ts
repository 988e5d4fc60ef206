import type * as sdk from '@aws-sdk/client-s3'
import type { Operation } from '../../context.ts'
import type { S3 } from '../bodies.ts'
import { limits } from '../limits.ts'
import { findObject, type ObjectInput } from '../lookup.ts'
import { required } from '../names.ts'
import type { ObjectRow } from '../store.ts'
import { checkTags, type Tag } from '../tags.ts'

export function makeObjectTagging(s3: S3) {
  const setTags = ({ bucket, key }: ObjectRow, tags: Tag[]) =>
    void s3.store.update('s3_object', { bucket, key }, { tags: JSON.stringify(tags) })

  const getObjectTagging: Operation<ObjectInput, sdk.GetObjectTaggingCommandOutput> = (context, input) => {
    const TagSet: Tag[] = JSON.parse(findObject(s3, context, input).tags)
    return { TagSet }
  }
  const putObjectTagging: Operation<sdk.PutObjectTaggingCommandInput, sdk.PutObjectTaggingCommandOutput> = (
    context,
    input,
  ) => {
    const row = findObject(s3, context, input)
    setTags(row, checkTags(required(input.Tagging?.TagSet, 'Tagging'), limits.objectTagsMax))
    return {}
  }
  const deleteObjectTagging: Operation<ObjectInput, sdk.DeleteObjectTaggingCommandOutput> = (
    context,
    input,
  ) => {
    setTags(findObject(s3, context, input), [])
    return {}
  }
  return { getObjectTagging, putObjectTagging, deleteObjectTagging }
}
