import { DeclaredError } from '../../../kernel/errors.ts'
import { lowSentence } from '../../../kernel/space.ts'
import type { Store } from '../../../store/store.ts'
import type { Context } from '../../context.ts'
import type { ElasticbeanstalkOperations } from '../../generated/elasticbeanstalk.ts'
import { ofApplication, ofVersion } from '../events.ts'
import { versionArn } from '../names.ts'
import { newestFirst, pageOf } from '../paging.ts'
import type { Parts } from '../parts.ts'
import { findApplication, findVersion, type ApplicationVersionRow } from '../store.ts'
import { roomRow } from '../room/low.ts'
import {
  checkApplicationName,
  checkDescription,
  checkLengths,
  checkRange,
  checkTags,
  invalidCombination,
  invalidValue,
  notImplemented,
} from '../validation.ts'
import { applicationNamed, insertApplication } from './applications.ts'
import { putTags, removeTags } from './tags.ts'

type Operations = Pick<
  ElasticbeanstalkOperations,
  | 'createApplicationVersion'
  | 'describeApplicationVersions'
  | 'updateApplicationVersion'
  | 'deleteApplicationVersion'
>

export function makeVersionOperations(parts: Parts): Operations {
  const { store, clock, events, cloud } = parts
  return {
    createApplicationVersion(context, input) {
      const { ApplicationName: application, VersionLabel: label, Description, SourceBundle } = input
      checkApplicationName(application)
      checkVersionLabel(label)
      checkDescription(Description)
      const tags = checkTags(input.Tags ?? [])
      if (input.SourceBuildInformation || input.BuildConfiguration)
        throw notImplemented('Building a version from CodeCommit or with CodeBuild')
      if (input.ImageConfiguration) throw notImplemented('A version made of a container image')
      if (!findApplication(store, context, application)) {
        if (!input.AutoCreateApplication) throw invalidValue(`No Application named '${application}' found.`)
        insertApplication(parts, context, application, undefined, {})
        events.write(ofApplication(context, application), 'INFO', `Created new Application: ${application}`)
      }
      if (findVersion(store, context, application, label))
        throw invalidValue(`Application Version ${label} already exists.`)
      checkQuota(store, context)
      const { S3Bucket: bucket, S3Key: key } = SourceBundle ?? {}
      if (!bucket || !key)
        throw notImplemented('A version without SourceBundle (AWS takes its own sample application)')
      const body = cloud.s3.objectBody(context, bucket, key)
      if (!body)
        throw invalidCombination(
          `Unable to download from S3 location (Bucket: ${bucket}  Key: ${key}). Reason: Not Found`,
        )
      if (body.bytes > BUNDLE_BYTES_MAX)
        throw invalidValue(
          `The source bundle s3://${bucket}/${key} has ${body.bytes} bytes. The size limit is ${BUNDLE_BYTES_MAX} bytes.`,
        )
      const room = roomRow(store)
      if (input.Process && room?.low)
        throw new DeclaredError('InsufficientStorage', lowSentence('Processing the version', room), {
          httpStatus: 507,
        })
      const row: ApplicationVersionRow = {
        account: context.account,
        region: context.region,
        applicationName: application,
        label,
        description: Description || null,
        bucket,
        key,
        process: input.Process ? 1 : 0,
        status: input.Process ? 'PROCESSING' : 'UNPROCESSED',
        reason: null,
        bodyId: body.id,
        sha256Hex: body.sha256Hex,
        inspection: null,
        requestId: context.requestId,
        createdAt: clock.now(),
        updatedAt: clock.now(),
      }
      store.insert('application_version', row)
      putTags(store, versionArn(context, application, label), tags)
      events.write(ofVersion(row), 'INFO', 'createApplicationVersion is starting.')
      events.write(ofVersion(row), 'INFO', `Created new Application Version: ${label}`)
      return { ApplicationVersion: describeVersion(row) }
    },

    describeApplicationVersions({ account, region }, input) {
      checkRange('maxRecords', input.MaxRecords, 1, 1000)
      const rows = store.all<ApplicationVersionRow>(
        `select * from application_version where account = :account and region = :region
           and (:application is null or application_name = :application)
           and (:labels = '[]' or label in (select value from json_each(:labels)))`,
        { account, region, application: input.ApplicationName, labels: input.VersionLabels ?? [] },
      )
      const limits = { token: input.NextToken, pageMax: input.MaxRecords ?? 1000 }
      const { rows: page, ...next } = pageOf(rows, keyOf, limits)
      return { ApplicationVersions: page.map(describeVersion), ...next }
    },

    updateApplicationVersion(context, { ApplicationName, VersionLabel, Description }) {
      checkDescription(Description)
      const { account, region, applicationName, label } = versionNamed(
        store,
        context,
        ApplicationName,
        VersionLabel,
      )
      const set = { description: Description || null, updatedAt: clock.now() }
      if (Description !== undefined)
        store.update('application_version', { account, region, applicationName, label }, set)
      return { ApplicationVersion: describeVersion(versionNamed(store, context, applicationName, label)) }
    },

    deleteApplicationVersion(context, { ApplicationName, VersionLabel, DeleteSourceBundle }) {
      const row = versionNamed(store, context, ApplicationName, VersionLabel)
      const { account, region, applicationName, label, bucket, key } = row
      const used = store.get(
        `select 1 from environment join deployment on deployment.environment_id = environment.id
         where account = :account and region = :region and application_name = :applicationName
           and terminated_at is null and deployment.version_label = :label
           and deployment.id in (environment.deployment_id, environment.expected_deployment_id)`,
        { account, region, applicationName, label },
      )
      if (used)
        throw new DeclaredError(
          'OperationInProgressFailure',
          'Unable to delete application version: It is currently deployed.',
        )
      if (DeleteSourceBundle && bucket && key)
        deleteBundle(() => cloud.s3.deleteObject(context, { Bucket: bucket, Key: key }))
      store.remove('application_version', { account, region, applicationName, label })
      removeTags(store, versionArn(context, applicationName, label))
      events.write(
        { ...ofVersion(row), requestId: context.requestId },
        'INFO',
        `Deleted Application Version: ${label}`,
      )
      return {}
    },
  }
}

/** @throws DeclaredError `No Application Version named 'X' found.` */
export function versionNamed(
  store: Store,
  context: Context,
  application: string | undefined,
  label: string | undefined,
): ApplicationVersionRow {
  checkApplicationName(application)
  checkVersionLabel(label)
  applicationNamed(store, context, application)
  const row = findVersion(store, context, application, label)
  if (!row) throw invalidValue(`No Application Version named '${label}' found.`)
  return row
}

/** A bundle that is not there any more needs no deletion.
 *  @throws DeclaredError `SourceBundleDeletionFailure`, which leaves the version as it is. */
function deleteBundle(deed: () => unknown): void {
  try {
    deed()
  } catch (error) {
    if (!(error instanceof DeclaredError)) throw error
    if (error.code === 'NoSuchBucket' || error.code === 'NoSuchKey') return
    throw new DeclaredError(
      'SourceBundleDeletionFailure',
      `Unable to delete the source bundle: ${error.message} (${error.code})`,
    )
  }
}

function checkVersionLabel(label: string | undefined): asserts label is string {
  checkLengths([{ member: 'versionLabel', value: label, least: 1, most: 100, required: true }])
}

function checkQuota(store: Store, { account, region }: Context): void {
  const row = store.get<{ count: number }>(
    'select count(*) as count from application_version where account = :account and region = :region',
    { account, region },
  )
  if (row && row.count >= VERSIONS_MAX)
    throw new DeclaredError(
      'TooManyApplicationVersionsException',
      `You cannot have more than ${VERSIONS_MAX} Application Versions. Either remove some Application Versions or request a limit increase.`,
    )
}

const keyOf = ({ createdAt, applicationName, label }: ApplicationVersionRow) =>
  newestFirst(createdAt, `${applicationName}/${label}`)

const describeVersion = (row: ApplicationVersionRow) => ({
  ApplicationVersionArn: versionArn(row, row.applicationName, row.label),
  ApplicationName: row.applicationName,
  Description: row.description ?? undefined,
  VersionLabel: row.label,
  SourceBundle: { S3Bucket: row.bucket ?? undefined, S3Key: row.key ?? undefined },
  DateCreated: new Date(row.createdAt),
  DateUpdated: new Date(row.updatedAt),
  // The model says `Processed`; the wire says `PROCESSED`, and `eb` compares with that.
  Status: row.status as 'Processed',
})

const VERSIONS_MAX = 1000
const BUNDLE_BYTES_MAX = 512 << 20
