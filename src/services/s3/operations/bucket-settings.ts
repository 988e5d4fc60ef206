// Settings of buckets. None can be set, except tags; so each is answered as AWS answers one that was never set, and a
// put is accepted only if it asks for what is so anyway. Terraform's aws_s3_bucket reads all of them.
import type * as sdk from '@aws-sdk/client-s3'
import { DeclaredError } from '../../../kernel/errors.ts'
import type { Operation } from '../../context.ts'
import { ownerOf } from '../answers.ts'
import type { S3 } from '../bodies.ts'
import { aclNotSupported, noSuchTagSet, notImplemented } from '../errors.ts'
import { limits } from '../limits.ts'
import { findBucket, findObject, type BucketInput, type ObjectInput } from '../lookup.ts'
import { required } from '../names.ts'
import { checkTags, type Tag } from '../tags.ts'

export function makeBucketSettings(s3: S3) {
  /** A setting that no bucket has: 404 with a code of its own. */
  const absent =
    (code: string, message: string): Operation<BucketInput, never> =>
    (context, input) => {
      const { name } = findBucket(s3, context, input)
      throw new DeclaredError(code, message, { httpStatus: 404, members: { BucketName: name } })
    }
  const always =
    <O>(output: O): Operation<BucketInput, O & { $metadata: never }> =>
    (context, input) => {
      findBucket(s3, context, input)
      return output as Omit<O & { $metadata: never }, '$metadata'>
    }
  const owned = (context: Parameters<Operation<BucketInput, object>>[0]) => {
    const owner = ownerOf(context)
    return {
      Owner: owner,
      Grants: [
        { Grantee: { ...owner, Type: 'CanonicalUser' as const }, Permission: 'FULL_CONTROL' as const },
      ],
    }
  }

  const getBucketAcl: Operation<BucketInput, sdk.GetBucketAclCommandOutput> = (context, input) => {
    findBucket(s3, context, input)
    return owned(context)
  }
  const getObjectAcl: Operation<ObjectInput, sdk.GetObjectAclCommandOutput> = (context, input) => {
    findObject(s3, context, input)
    return owned(context)
  }
  const putBucketAcl: Operation<sdk.PutBucketAclCommandInput, object> = (context, input) => {
    findBucket(s3, context, input)
    if (input.ACL !== 'private') throw aclNotSupported()
    return {}
  }
  const putBucketOwnershipControls: Operation<sdk.PutBucketOwnershipControlsCommandInput, object> = (
    context,
    input,
  ) => {
    findBucket(s3, context, input)
    const rules = input.OwnershipControls?.Rules ?? []
    if (rules.some((rule) => rule.ObjectOwnership !== 'BucketOwnerEnforced'))
      throw notImplemented('ObjectOwnership')
    return {}
  }
  const putPublicAccessBlock: Operation<sdk.PutPublicAccessBlockCommandInput, object> = (context, input) => {
    findBucket(s3, context, input)
    const asked = Object.entries(input.PublicAccessBlockConfiguration ?? {})
    // Nothing is public here: what asks for less blocking would have no effect.
    if (asked.some(([, value]) => value === false)) throw notImplemented('PublicAccessBlockConfiguration')
    return {}
  }

  const getBucketTagging: Operation<BucketInput, sdk.GetBucketTaggingCommandOutput> = (context, input) => {
    const { name, tags } = findBucket(s3, context, input)
    const TagSet: Tag[] = JSON.parse(tags)
    if (TagSet.length === 0) throw noSuchTagSet({ BucketName: name })
    return { TagSet }
  }
  const setTags = (name: string, tags: Tag[]) =>
    void s3.store.update('s3_bucket', { name }, { tags: JSON.stringify(tags) })
  const putBucketTagging: Operation<sdk.PutBucketTaggingCommandInput, object> = (context, input) => {
    const { name } = findBucket(s3, context, input)
    setTags(name, checkTags(required(input.Tagging?.TagSet, 'Tagging'), limits.bucketTagsMax))
    return {}
  }
  const deleteBucketTagging: Operation<BucketInput, object> = (context, input) => {
    setTags(findBucket(s3, context, input).name, [])
    return {}
  }

  return {
    getBucketAcl,
    getObjectAcl,
    putBucketAcl,
    putBucketOwnershipControls,
    putPublicAccessBlock,
    getBucketTagging,
    putBucketTagging,
    deleteBucketTagging,
    getBucketAccelerateConfiguration: always({}),
    getBucketLogging: always({}),
    getBucketNotificationConfiguration: always({}),
    getBucketRequestPayment: always({ Payer: 'BucketOwner' }),
    getBucketVersioning: always({}),
    getBucketOwnershipControls: always({
      OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
    }),
    getPublicAccessBlock: always({
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        IgnorePublicAcls: true,
        BlockPublicPolicy: true,
        RestrictPublicBuckets: true,
      },
    }),
    getBucketCors: absent('NoSuchCORSConfiguration', 'The CORS configuration does not exist'),
    getBucketEncryption: absent(
      'ServerSideEncryptionConfigurationNotFoundError',
      'The server side encryption configuration was not found',
    ),
    getBucketLifecycleConfiguration: absent(
      'NoSuchLifecycleConfiguration',
      'The lifecycle configuration does not exist',
    ),
    getBucketPolicy: absent('NoSuchBucketPolicy', 'The bucket policy does not exist'),
    getBucketPolicyStatus: absent('NoSuchBucketPolicy', 'The bucket policy does not exist'),
    getBucketReplication: absent(
      'ReplicationConfigurationNotFoundError',
      'The replication configuration was not found',
    ),
    getBucketWebsite: absent(
      'NoSuchWebsiteConfiguration',
      'The specified bucket does not have a website configuration',
    ),
    getObjectLockConfiguration: absent(
      'ObjectLockConfigurationNotFoundError',
      'Object Lock configuration does not exist for this bucket',
    ),
  }
}
