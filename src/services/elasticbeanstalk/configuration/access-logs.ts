// Where the access logs of an environment's load balancer go, as its settings say it.
import { valueError } from './findings.ts'
import type { Read } from './effective.ts'
import type { Names } from './names.ts'
import type { AccessLogs, EnvironmentConfiguration, Finding } from './types.ts'

const NAMESPACE = 'aws:elbv2:loadbalancer'

/** Null = there are none. */
export const accessLogsIn = (read: Read): AccessLogs | null =>
  read(NAMESPACE, 'AccessLogsS3Enabled') === 'true'
    ? { bucket: read(NAMESPACE, 'AccessLogsS3Bucket'), prefix: read(NAMESPACE, 'AccessLogsS3Prefix') }
    : null

export function accessLogsFindings(
  { loadBalanced, accessLogs }: EnvironmentConfiguration,
  names: Names | undefined,
): Finding[] {
  if (!loadBalanced || !accessLogs) return []
  const { bucket } = accessLogs
  const complain = (complaint: string) => [
    valueError(
      { namespace: NAMESPACE, optionName: 'AccessLogsS3Bucket', resourceName: null },
      bucket,
      complaint,
    ),
  ]
  if (bucket === '') return complain('Access logs must have a bucket.')
  return names && !names.hasBucket(bucket) ? complain(`The bucket '${bucket}' does not exist`) : []
}
