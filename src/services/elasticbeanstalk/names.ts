// Names and ARNs in AWS's forms.
import type { Context } from '../context.ts'
import type { EnvironmentRow } from './store.ts'

type Scope = Pick<Context, 'account' | 'region'>

export const applicationArn = ({ account, region }: Scope, name: string) =>
  `arn:aws:elasticbeanstalk:${region}:${account}:application/${name}`

export const versionArn = ({ account, region }: Scope, application: string, label: string) =>
  `arn:aws:elasticbeanstalk:${region}:${account}:applicationversion/${application}/${label}`

export const templateArn = ({ account, region }: Scope, application: string, name: string) =>
  `arn:aws:elasticbeanstalk:${region}:${account}:configurationtemplate/${application}/${name}`

export const environmentArn = (
  row: Pick<EnvironmentRow, 'account' | 'region' | 'applicationName' | 'name'>,
) => `arn:aws:elasticbeanstalk:${row.region}:${row.account}:environment/${row.applicationName}/${row.name}`

export const storageBucket = ({ account, region }: Scope) => `elasticbeanstalk-${region}-${account}`

export const cnameOf = (row: Pick<EnvironmentRow, 'cnamePrefix' | 'region'>, domain: string) =>
  `${row.cnamePrefix}.${row.region}.${domain}`.toLowerCase()
