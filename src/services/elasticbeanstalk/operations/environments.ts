import type { ElasticbeanstalkOperations } from '../../generated/elasticbeanstalk.ts'
import { newestFirst, pageOf } from '../paging.ts'
import type { Parts } from '../parts.ts'
import type { EnvironmentRow } from '../store.ts'
import { checkRange } from '../validation.ts'
import { makeCreateEnvironment } from './create-environment.ts'
import { describeEnvironment } from './describe-environment.ts'
import { makeSwapEnvironmentCNAMEs } from './swap.ts'
import { makeTerminateEnvironment } from './terminate.ts'
import { makeRestartAppServer, makeUpdateEnvironment } from './update-environment.ts'

type Operations = Pick<
  ElasticbeanstalkOperations,
  | 'createEnvironment'
  | 'describeEnvironments'
  | 'updateEnvironment'
  | 'terminateEnvironment'
  | 'restartAppServer'
  | 'swapEnvironmentCNAMEs'
>

export function makeEnvironmentOperations(parts: Parts): Operations {
  const { store, clock } = parts
  return {
    createEnvironment: makeCreateEnvironment(parts),
    updateEnvironment: makeUpdateEnvironment(parts),
    terminateEnvironment: makeTerminateEnvironment(parts),
    restartAppServer: makeRestartAppServer(parts),
    swapEnvironmentCNAMEs: makeSwapEnvironmentCNAMEs(parts),

    describeEnvironments({ account, region }, input) {
      checkRange('maxRecords', input.MaxRecords, 1, 1000)
      // The waiters of the AWS CLI send no IncludeDeleted and need to see an environment become Terminated.
      const recently = clock.now() - SHOWN_AFTER_TERMINATION_MS
      const since =
        input.IncludeDeleted === false ? null : (input.IncludedDeletedBackTo?.getTime() ?? recently)
      const rows = store.all<EnvironmentRow>(
        `select * from environment where account = :account and region = :region
           and (:application is null or application_name = :application)
           and (:label is null or version_label = :label)
           and (:ids = '[]' or id in (select value from json_each(:ids)))
           and (:names = '[]' or name in (select value from json_each(:names)))
           and (terminated_at is null or (:since is not null and terminated_at >= :since
             and (:everything or id in (select value from json_each(:ids)) or not exists (
               select 1 from environment as later where later.account = :account and later.region = :region
                 and later.name = environment.name and later.created_at > environment.created_at))))`,
        {
          account,
          region,
          application: input.ApplicationName,
          label: input.VersionLabel,
          ids: input.EnvironmentIds ?? [],
          names: input.EnvironmentNames ?? [],
          since,
          // They wait for all rows of a name to become Ready: one that was terminated before the name was used again
          // would keep them waiting for ever.
          everything: input.IncludeDeleted === true ? 1 : 0,
        },
      )
      const limits = { token: input.NextToken, pageMax: input.MaxRecords }
      const { rows: page, ...next } = pageOf(rows, ({ createdAt, id }) => newestFirst(createdAt, id), limits)
      return { Environments: page.map((row) => describeEnvironment(parts, row)), ...next }
    },
  }
}

const SHOWN_AFTER_TERMINATION_MS = 3600_000
