import type { ElasticbeanstalkOperations } from '../../generated/elasticbeanstalk.ts'
import { storageBucket } from '../names.ts'
import type { Parts } from '../parts.ts'

export function makeStorageOperations({
  cloud,
}: Parts): Pick<ElasticbeanstalkOperations, 'createStorageLocation'> {
  return {
    createStorageLocation(context) {
      const bucket = storageBucket(context)
      cloud.s3.ensureBucket(context, bucket)
      return { S3Bucket: bucket }
    },
  }
}
