import type { EventSeverity } from '@aws-sdk/client-elastic-beanstalk'
import type { ElasticbeanstalkOperations } from '../../generated/elasticbeanstalk.ts'
import type { EventRow } from '../events.ts'
import { invalidToken } from '../paging.ts'
import { invalidValue, checkRange } from '../validation.ts'
import type { Parts } from '../parts.ts'

export function makeEventOperations({ store }: Parts): Pick<ElasticbeanstalkOperations, 'describeEvents'> {
  return {
    /** Newest first: `eb` takes the last of the first page as the oldest (clients.md §0.5). */
    describeEvents(context, input) {
      checkRange('maxRecords', input.MaxRecords, 1, 1000)
      const pageMax = input.MaxRecords ?? PAGE_DEFAULT
      const before = input.NextToken === undefined ? null : positionOf(input.NextToken)
      const severities = input.Severity === undefined ? null : fromSeverity(input.Severity)
      const rows = store.all<EventRow>(
        `select * from event where account = :account and region = :region
           and (:before is null or id < :before)
           and (:applicationName is null or application_name = :applicationName)
           and (:versionLabel is null or version_label = :versionLabel)
           and (:templateName is null or template_name = :templateName)
           and (:environmentId is null or environment_id = :environmentId)
           and (:environmentName is null or environment_name = :environmentName)
           and (:platformArn is null or platform_arn = :platformArn)
           and (:requestId is null or request_id = :requestId)
           and (:start is null or at >= :start) and (:end is null or at < :end)
           and (:severities is null or severity in (select value from json_each(:severities)))
         order by at desc, id desc limit :limit`,
        {
          account: context.account,
          region: context.region,
          before,
          applicationName: input.ApplicationName,
          versionLabel: input.VersionLabel,
          templateName: input.TemplateName,
          environmentId: input.EnvironmentId,
          environmentName: input.EnvironmentName,
          platformArn: input.PlatformArn,
          requestId: input.RequestId,
          start: input.StartTime === undefined ? null : Math.ceil(input.StartTime.getTime()),
          end: input.EndTime?.getTime(),
          severities,
          limit: pageMax + 1,
        },
      )
      const page = rows.slice(0, pageMax)
      const more =
        rows.length > pageMax ? Buffer.from(`e${page.at(-1)?.id}`).toString('base64url') : undefined
      return { Events: page.map(describeEvent), ...(more === undefined ? {} : { NextToken: more }) }
    },
  }
}

const describeEvent = (row: EventRow) => ({
  EventDate: new Date(row.at),
  Message: row.message,
  ApplicationName: row.applicationName ?? undefined,
  VersionLabel: row.versionLabel ?? undefined,
  TemplateName: row.templateName ?? undefined,
  EnvironmentName: row.environmentName ?? undefined,
  PlatformArn: row.platformArn ?? undefined,
  RequestId: row.requestId ?? undefined,
  Severity: row.severity,
})

/** "limits the events returned to include only those with the specified severity or higher" (API reference). */
function fromSeverity(least: EventSeverity): string[] {
  const at = SEVERITIES.indexOf(least)
  if (at < 0)
    throw invalidValue(
      `Value ${String(least)} at 'Severity' failed to satisfy constraint: Member must satisfy enum value set: [${SEVERITIES.join(', ')}]`,
    )
  return SEVERITIES.slice(at)
}

function positionOf(token: string): number {
  const match = /^e(\d{1,15})$/.exec(Buffer.from(token, 'base64url').toString())
  if (!match) throw invalidToken()
  return Number(match[1])
}

const SEVERITIES: string[] = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'] satisfies EventSeverity[]
/** Without MaxRecords one page must hold an operation's events: `eb` never asks for a second one. */
const PAGE_DEFAULT = 1000
