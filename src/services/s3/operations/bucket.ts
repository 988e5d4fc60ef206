import type * as sdk from '@aws-sdk/client-s3'
import { DeclaredError } from '../../../kernel/errors.ts'
import type { Context, Operation } from '../../context.ts'
import { dateOf, ownerOf } from '../answers.ts'
import type { S3 } from '../bodies.ts'
import { refuseUnsupported } from '../description.ts'
import {
  accessDenied,
  bucketAlreadyOwnedByYou,
  bucketNotEmpty,
  invalidArgument,
  notImplemented,
  tooManyBuckets,
} from '../errors.ts'
import { limits } from '../limits.ts'
import { findBucket } from '../lookup.ts'
import { checkBucketName, required } from '../names.ts'
import { bucketRow, removeUploadRow, type BucketRow } from '../store.ts'
import { checkTags, type Tag } from '../tags.ts'

type Bucketed<O> = Operation<{ Bucket: string | undefined; ExpectedBucketOwner?: string | undefined }, O>

export function makeBucketOperations(s3: S3) {
  const { store } = s3
  const createBucket: Operation<sdk.CreateBucketCommandInput, sdk.CreateBucketCommandOutput> = (
    context,
    input,
  ) => {
    const name = checkBucketName(required(input.Bucket, 'Bucket'))
    refuseUnsupported(input)
    const configuration = input.CreateBucketConfiguration
    if (input.ObjectOwnership && input.ObjectOwnership !== 'BucketOwnerEnforced')
      throw notImplemented('x-amz-object-ownership')
    if (input.BucketNamespace && input.BucketNamespace !== 'global')
      throw notImplemented('x-amz-bucket-namespace')
    if (configuration?.Location || configuration?.Bucket)
      throw notImplemented('CreateBucketConfiguration.Location')
    checkLocation(context.region, configuration?.LocationConstraint)
    const before = bucketRow(store, name)
    // In us-east-1 creating one's own bucket again succeeds, as it always did (API reference, CreateBucket, Errors).
    if (before && context.region !== 'us-east-1') throw bucketAlreadyOwnedByYou({ BucketName: name })
    if (!before) insertBucket(s3, context, name, checkTags(configuration?.Tags ?? [], limits.bucketTagsMax))
    return { Location: context.region === 'us-east-1' ? `/${name}` : `${context.endpoint}/${name}` }
  }

  const deleteBucket: Bucketed<sdk.DeleteBucketCommandOutput> = (context, input) => {
    const { name } = findBucket(s3, context, input)
    if (store.get('select 1 from s3_object where bucket = :name limit 1', { name }))
      throw bucketNotEmpty({ BucketName: name })
    for (const { id } of store.all<{ id: string }>('select id from s3_upload where bucket = :name', { name }))
      removeUploadRow(s3, id)
    store.remove('s3_bucket', { name })
    return {}
  }

  const headBucket: Bucketed<sdk.HeadBucketCommandOutput> = (context, input) => {
    const { name, region } = findBucket(s3, context, input)
    return { BucketRegion: region, AccessPointAlias: false, BucketArn: `arn:aws:s3:::${name}` }
  }

  /** us-east-1 has always been answered as no location at all. */
  const getBucketLocation: Bucketed<{ LocationConstraint?: string }> = (context, input) => {
    const { region } = findBucket(s3, context, input)
    return region === 'us-east-1' ? {} : { LocationConstraint: region }
  }

  const listBuckets: Operation<sdk.ListBucketsCommandInput, sdk.ListBucketsCommandOutput> = (
    context,
    input,
  ) => {
    const entriesMax = input.MaxBuckets ?? limits.bucketsMax
    if (entriesMax < 1 || entriesMax > limits.bucketsMax)
      throw invalidArgument(
        'Argument max-buckets must be an integer between 1 and 10000',
        'max-buckets',
        String(entriesMax),
      )
    const after = input.ContinuationToken ? Buffer.from(input.ContinuationToken, 'base64url').toString() : ''
    const found = store
      .all<BucketRow>('select * from s3_bucket where account = :account and name > :after order by name', {
        account: context.account,
        after,
      })
      .filter(
        (row) => row.name.startsWith(input.Prefix ?? '') && row.region === (input.BucketRegion ?? row.region),
      )
    const page = found.slice(0, entriesMax)
    const last = page.at(-1)
    return {
      Buckets: page.map((row) => ({
        Name: row.name,
        CreationDate: dateOf(row.createdAt),
        BucketRegion: row.region,
      })),
      Owner: ownerOf(context),
      Prefix: input.Prefix,
      ContinuationToken:
        last && found.length > page.length ? Buffer.from(last.name).toString('base64url') : undefined,
    }
  }

  return { createBucket, deleteBucket, headBucket, getBucketLocation, listBuckets }
}

export function insertBucket(s3: S3, context: Context, name: string, tags: Tag[]): void {
  const { store, clock } = s3
  const { account, region } = context
  const count = store.get<{ count: number }>(
    'select count(*) as count from s3_bucket where account = :account',
    { account },
  )
  if ((count?.count ?? 0) >= limits.bucketsMax) throw tooManyBuckets()
  store.insert('s3_bucket', { name, account, region, tags: JSON.stringify(tags), createdAt: clock.now() })
}

/** For services that need a bucket of their own: makes it, whatever the region's rules for clients are. */
export function ensureBucket(s3: S3, context: Context, name: string): void {
  const row = bucketRow(s3.store, checkBucketName(name))
  if (row && row.account !== context.account) throw accessDenied()
  if (!row) insertBucket(s3, context, name, [])
}

// us-east-1 must not be named, every other region must be (API reference, CreateBucketConfiguration).
function checkLocation(region: string, constraint: string | undefined): void {
  if (region === 'us-east-1' && constraint === 'us-east-1')
    throw new DeclaredError('InvalidLocationConstraint', 'The specified location-constraint is not valid', {
      members: { LocationConstraint: constraint },
    })
  if ((constraint ?? 'us-east-1') === region) return
  throw new DeclaredError(
    'IllegalLocationConstraintException',
    `The ${constraint ?? 'unspecified'} location constraint is incompatible for the region specific endpoint this request was sent to.`,
  )
}
