// Deleting an application: its environments are terminated first, then everything that belongs to it goes.
import type { Workflow } from '../../../control/workflows.ts'
import { templateNames } from '../configuration/store.ts'
import type { EventSubject } from '../events.ts'
import { applicationArn, templateArn, versionArn } from '../names.ts'
import { removeTags } from '../operations/tags.ts'
import type { Parts } from '../parts.ts'
import type { ApplicationVersionRow } from '../store.ts'

type Params = { subject: EventSubject }

export function makeDeleteApplicationWorkflow(parts: Parts): Workflow<Params> {
  return {
    kind: 'elasticbeanstalk.delete-application',
    version: 1,
    run(step, { subject }) {
      const { account, region, applicationName } = subject
      step.until(
        'environments are gone',
        () => {
          const left = parts.store.get(
            `select 1 from environment where account = :account and region = :region
               and application_name = :applicationName and terminated_at is null`,
            { account, region, applicationName },
          )
          return left ? undefined : true
        },
        { timeoutMs: 2 * 3600_000 },
      )
      step.do('remove', () => removeApplication(parts, subject))
    },
    failed({ subject }, failure) {
      parts.events.write(subject, 'ERROR', `Failed to delete application: ${failure}`)
    },
  }
}

/** Joins the caller's transaction. The bundles in S3 stay, as in AWS. */
export function removeApplication({ store, events }: Parts, subject: EventSubject): void {
  const { account, region, applicationName } = subject
  const name = applicationName ?? ''
  const where = { account, region, applicationName: name }
  const versions = store.all<ApplicationVersionRow>(
    `select * from application_version where account = :account and region = :region
       and application_name = :applicationName`,
    where,
  )
  for (const { label } of versions) removeTags(store, versionArn(subject, name, label))
  for (const template of templateNames(store, subject, name))
    removeTags(store, templateArn(subject, name, template))
  store.remove('application_version', where)
  store.remove('application', { account, region, name })
  removeTags(store, applicationArn(subject, name))
  events.write(subject, 'INFO', 'The application has been deleted successfully.')
}
