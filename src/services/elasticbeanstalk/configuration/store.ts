// Saved configurations (configuration templates): rows of this half of the service.
import type { Migration, Store } from '../../../store/store.ts'
import type { Context } from '../../context.ts'
import type { Parts } from '../parts.ts'
import { invalidValue } from '../validation.ts'
import type { Setting } from './types.ts'

/** Comes after the service's own tables: a template goes with its application. */
export const configurationMigration: Migration = {
  id: 'elasticbeanstalk.configuration.1',
  sql: `
    create table configuration_template (
      account text not null, region text not null, application_name text not null, template_name text not null,
      description text, solution_stack_name text not null, platform_arn text not null, settings text not null,
      created_at integer not null, updated_at integer not null,
      primary key (account, region, application_name, template_name),
      foreign key (account, region, application_name) references application (account, region, name) on delete cascade
    ) strict;`,
}

export type TemplateRow = {
  account: string
  region: string
  applicationName: string
  templateName: string
  description: string | null
  solutionStackName: string
  platformArn: string
  /** JSON: Setting[], as they were given; defaults are not in it. */
  settings: string
  createdAt: number
  updatedAt: number
}

export const TEMPLATES_MAX = 2000

type Scope = Pick<Context, 'account' | 'region'>

export const findTemplateRow = (
  store: Store,
  { account, region }: Scope,
  application: string,
  name: string,
) =>
  store.get<TemplateRow>(
    `select * from configuration_template where account = :account and region = :region
       and application_name = :application and template_name = :name`,
    { account, region, application, name },
  )

/** @throws DeclaredError in the words by which Terraform knows that it is gone. */
export function templateNamed(
  store: Store,
  context: Context,
  application: string,
  name: string,
): TemplateRow {
  const row = findTemplateRow(store, context, application, name)
  if (!row) throw invalidValue(`No Configuration Template named '${application}/${name}' found.`)
  return row
}

export const templateNames = (store: Store, { account, region }: Scope, applicationName: string): string[] =>
  store
    .all<{ templateName: string }>(
      `select template_name from configuration_template
       where account = :account and region = :region and application_name = :applicationName order by template_name`,
      { account, region, applicationName },
    )
    .map((row) => row.templateName)

export const countTemplates = (store: Store, { account, region }: Scope): number =>
  store.get<{ count: number }>(
    'select count(*) as count from configuration_template where account = :account and region = :region',
    { account, region },
  )?.count ?? 0

export const templateSettings = (row: TemplateRow) => JSON.parse(row.settings) as Setting[]

/** For those who make environments from templates. */
export const makeFindTemplate =
  (store: Store): Parts['findTemplate'] =>
  (context, application, name) => {
    if (name === undefined) return undefined
    const row = templateNamed(store, context, application, name)
    return {
      settings: templateSettings(row),
      solutionStackName: row.solutionStackName,
      platformArn: row.platformArn,
    }
  }
