import type { ApplicationResourceLifecycleConfig } from '@aws-sdk/client-elastic-beanstalk'
import { DeclaredError } from '../../../kernel/errors.ts'
import type { Store } from '../../../store/store.ts'
import type { Context } from '../../context.ts'
import type { ElasticbeanstalkOperations } from '../../generated/elasticbeanstalk.ts'
import { templateNames } from '../configuration/store.ts'
import { ofApplication } from '../events.ts'
import { applicationArn } from '../names.ts'
import type { Parts } from '../parts.ts'
import { findApplication, type ApplicationRow, type EnvironmentRow } from '../store.ts'
import {
  checkApplicationName,
  checkDescription,
  checkTags,
  invalidValue,
  notImplemented,
} from '../validation.ts'
import { removeApplication } from '../workflows/delete-application.ts'
import { putTags } from './tags.ts'
import { beginTermination } from './terminate.ts'

type Operations = Pick<
  ElasticbeanstalkOperations,
  | 'createApplication'
  | 'describeApplications'
  | 'updateApplication'
  | 'deleteApplication'
  | 'updateApplicationResourceLifecycle'
>

export function makeApplicationOperations(parts: Parts): Operations {
  const { store, clock, ids, events, workflows } = parts
  return {
    createApplication(context, input) {
      const { ApplicationName: name, Description, ResourceLifecycleConfig = {}, Tags = [] } = input
      checkApplicationName(name)
      checkDescription(Description)
      checkLifecycle(ResourceLifecycleConfig)
      const tags = checkTags(Tags)
      if (findApplication(store, context, name)) throw invalidValue(`Application ${name} already exists.`)
      const row = insertApplication(parts, context, name, Description, ResourceLifecycleConfig)
      putTags(store, applicationArn(context, name), tags)
      events.write(ofApplication(context, name), 'INFO', 'createApplication is starting.')
      events.write(ofApplication(context, name), 'INFO', `Created new Application: ${name}`)
      events.write(ofApplication(context, name), 'INFO', 'createApplication completed successfully.')
      return { Application: describeApplication(store, row) }
    },

    describeApplications({ account, region }, { ApplicationNames = [] }) {
      const rows = store.all<ApplicationRow>(
        `select * from application where account = :account and region = :region
           and (:names = '[]' or name in (select value from json_each(:names))) order by created_at, name`,
        { account, region, names: ApplicationNames },
      )
      return { Applications: rows.map((row) => describeApplication(store, row)) }
    },

    updateApplication(context, { ApplicationName, Description }) {
      checkApplicationName(ApplicationName)
      checkDescription(Description)
      const row = applicationNamed(store, context, ApplicationName)
      if (Description !== undefined) {
        const { account, region, name } = row
        const set = { description: Description === '' ? null : Description, updatedAt: clock.now() }
        store.update('application', { account, region, name }, set)
      }
      return { Application: describeApplication(store, applicationNamed(store, context, ApplicationName)) }
    },

    updateApplicationResourceLifecycle(context, { ApplicationName, ResourceLifecycleConfig = {} }) {
      checkApplicationName(ApplicationName)
      const { account, region, name, lifecycle } = applicationNamed(store, context, ApplicationName)
      checkLifecycle(ResourceLifecycleConfig)
      const merged = {
        ...(JSON.parse(lifecycle) as ApplicationResourceLifecycleConfig),
        ...ResourceLifecycleConfig,
      }
      store.update('application', { account, region, name }, { lifecycle: merged, updatedAt: clock.now() })
      return { ApplicationName: name, ResourceLifecycleConfig: merged }
    },

    deleteApplication(context, { ApplicationName, TerminateEnvByForce = false }) {
      checkApplicationName(ApplicationName)
      const { account, region, name } = applicationNamed(store, context, ApplicationName)
      refuseWhileDeleted(parts, context, name)
      const environments = store.all<EnvironmentRow>(
        `select * from environment where account = :account and region = :region and application_name = :name
           and terminated_at is null order by created_at`,
        { account, region, name },
      )
      if (environments.length > 0 && !TerminateEnvByForce)
        throw new DeclaredError(
          'OperationInProgressFailure',
          `Unable to delete application '${name}' because it has running environments. ` +
            'Terminate them first, or set TerminateEnvByForce.',
        )
      const subject = ofApplication(context, name)
      events.write(subject, 'INFO', 'deleteApplication is starting.')
      if (environments.length === 0) {
        removeApplication(parts, subject)
        return {}
      }
      events.write(subject, 'INFO', 'Invoking Environment Termination workflows.')
      // Each under an id of its own: `eb terminate --all` would take "terminateEnvironment completed successfully." under
      // this call's id for the end (clients.md §1b).
      for (const environment of environments)
        if (environment.status !== 'Terminating')
          beginTermination(parts, { ...context, requestId: ids.uuid() }, environment)
      workflows.start('elasticbeanstalk.delete-application', applicationArn(context, name), { subject })
      return {}
    },
  }
}

/** What is made in an application that waits for the end of its environments would keep it for ever. */
export function refuseWhileDeleted({ workflows }: Parts, context: Context, name: string): void {
  if (workflows.active(applicationArn(context, name)).length > 0)
    throw new DeclaredError('OperationInProgressFailure', `Application ${name} is being deleted.`)
}

/** @throws DeclaredError `No Application named 'X' found.` */
export function applicationNamed(store: Store, context: Context, name: string): ApplicationRow {
  const row = findApplication(store, context, name)
  if (!row) throw invalidValue(`No Application named '${name}' found.`)
  return row
}

export function insertApplication(
  { store, clock }: Parts,
  { account, region }: Context,
  name: string,
  description: string | undefined,
  lifecycle: ApplicationResourceLifecycleConfig,
): ApplicationRow {
  const count = store.get<{ count: number }>(
    'select count(*) as count from application where account = :account and region = :region',
    { account, region },
  )
  if (count && count.count >= APPLICATIONS_MAX)
    throw new DeclaredError(
      'TooManyApplicationsException',
      `You cannot have more than ${APPLICATIONS_MAX} Applications. Either remove some Applications or request a limit increase.`,
    )
  const row = {
    account,
    region,
    name,
    description: description || null,
    lifecycle: JSON.stringify(lifecycle),
    createdAt: clock.now(),
    updatedAt: clock.now(),
  }
  store.insert('application', row)
  return row
}

function describeApplication(store: Store, row: ApplicationRow) {
  const { account, region, name } = row
  const versions = store.all<{ label: string }>(
    `select label from application_version where account = :account and region = :region and application_name = :name
     order by created_at desc`,
    { account, region, name },
  )
  return {
    ApplicationArn: applicationArn(row, name),
    ApplicationName: name,
    Description: row.description ?? undefined,
    DateCreated: new Date(row.createdAt),
    DateUpdated: new Date(row.updatedAt),
    Versions: versions.map(({ label }) => label),
    ConfigurationTemplates: templateNames(store, row, name),
    ResourceLifecycleConfig: {
      VersionLifecycleConfig: { MaxCountRule: DISABLED_COUNT, MaxAgeRule: DISABLED_AGE },
      ...(JSON.parse(row.lifecycle) as ApplicationResourceLifecycleConfig),
    },
  }
}

// A rule that is stored and never applied would be a lie; a disabled one is what Terraform sends to remove it.
function checkLifecycle({ VersionLifecycleConfig: rules }: ApplicationResourceLifecycleConfig): void {
  if (rules?.MaxCountRule?.Enabled || rules?.MaxAgeRule?.Enabled)
    throw notImplemented('An enabled application version lifecycle rule')
}

const DISABLED_COUNT = { Enabled: false, MaxCount: 200, DeleteSourceFromS3: false }
const DISABLED_AGE = { Enabled: false, MaxAgeInDays: 180, DeleteSourceFromS3: false }
const APPLICATIONS_MAX = 75
