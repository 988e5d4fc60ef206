// Tables of Elastic Beanstalk, and the few queries that several files share. Times are epoch milliseconds, objects JSON.
import { dictionary } from '../../kernel/dictionary.ts'
import type { Migration, Store } from '../../store/store.ts'
import type { Context } from '../context.ts'
import type { Setting } from './configuration/types.ts'

export const elasticbeanstalkMigration: Migration = {
  id: 'elasticbeanstalk.1',
  sql: `
    create table application (
      account text not null, region text not null, name text not null, description text, lifecycle text not null,
      created_at integer not null, updated_at integer not null, primary key (account, region, name)) strict;
    create table application_version (
      account text not null, region text not null, application_name text not null, label text not null,
      description text, bucket text, key text, process integer not null,
      status text not null check (status in ('UNPROCESSED', 'PROCESSING', 'PROCESSED', 'FAILED')), reason text,
      body_id text not null, sha256_hex text not null, inspection text, request_id text not null,
      created_at integer not null, updated_at integer not null,
      primary key (account, region, application_name, label)) strict;
    create table environment (
      id text primary key, account text not null, region text not null, name text not null,
      application_name text not null, description text, cname_prefix text not null, tier text not null,
      solution_stack_name text, platform_arn text not null, template_name text, settings text not null,
      draft text, draft_state text check (draft_state in ('pending', 'failed')), draft_at integer,
      version_label text, status text not null, health text not null, health_status text not null,
      causes text not null, refreshed_at integer not null, status_since integer not null, abortable integer not null,
      deployment_id integer not null, target_deployment_id integer not null, expected_deployment_id integer,
      loopback_port integer, port_problem text not null default '', resources text not null, request_id text not null,
      created_at integer not null, updated_at integer not null, terminated_at integer) strict;
    create unique index environment_live_name on environment (account, region, name) where terminated_at is null;
    create unique index environment_live_cname on environment (region, cname_prefix) where terminated_at is null;
    create unique index environment_live_port on environment (loopback_port) where terminated_at is null;
    create table deployment (
      environment_id text not null references environment (id) on delete cascade, id integer not null,
      version_label text not null, settings text not null, platform_arn text not null, layers text not null,
      state text not null check (state in ('building', 'ready', 'deploying', 'deployed', 'failed')), reason text,
      request_id text not null, started_at integer not null, ended_at integer,
      primary key (environment_id, id)) strict;
    create table environment_instance (
      environment_id text not null references environment (id) on delete cascade, instance_id text not null,
      deployment_id integer, revision integer, state text not null, output text not null, deployed_at integer,
      health_status text not null, causes text not null, launched_at integer not null, out_of_service_since integer,
      primary key (environment_id, instance_id)) strict;
    create table event (
      id integer primary key, account text not null, region text not null, at integer not null,
      severity text not null, message text not null, application_name text, version_label text, template_name text,
      environment_id text, environment_name text, platform_arn text, request_id text) strict;
    create index event_time on event (at);
    create index event_environment on event (environment_id, at);
    create index event_request on event (request_id, at);
    create table layer (
      key text primary key, state text not null check (state in ('building', 'ready', 'failed', 'removing')),
      build text not null, digest text, output text not null, created_at integer not null, updated_at integer not null,
      unnamed_since integer) strict;
    create table application_version_layer (
      account text not null, region text not null, application_name text not null, label text not null,
      layer_key text not null, primary key (account, region, application_name, label, layer_key),
      foreign key (account, region, application_name, label)
        references application_version (account, region, application_name, label) on delete cascade) strict;
    create table beanstalk_tag (
      resource_arn text not null, key text not null, value text not null, primary key (resource_arn, key)) strict;
    create table environment_info (
      environment_id text not null, info_type text not null, instance_id text not null, bucket text, key text,
      request_id text not null, state text not null, requested_at integer not null, sampled_at integer,
      primary key (environment_id, info_type, instance_id)) strict;`,
}

export type ApplicationRow = {
  account: string
  region: string
  name: string
  description: string | null
  lifecycle: string
  createdAt: number
  updatedAt: number
}

export type ApplicationVersionRow = {
  account: string
  region: string
  applicationName: string
  label: string
  description: string | null
  bucket: string | null
  key: string | null
  process: number
  status: 'UNPROCESSED' | 'PROCESSING' | 'PROCESSED' | 'FAILED'
  /** Why it FAILED, one or more lines. */
  reason: string | null
  /** The object's body at the time of creation: later writes to the same key do not change a version. */
  bodyId: string
  sha256Hex: string
  /** What the inspection of the bundle found (JSON), when PROCESSED. */
  inspection: string | null
  requestId: string
  createdAt: number
  updatedAt: number
}

export type EnvironmentStatus = 'Launching' | 'Updating' | 'Ready' | 'Terminating' | 'Terminated'

export type EnvironmentRow = {
  id: string
  account: string
  region: string
  name: string
  applicationName: string
  description: string | null
  cnamePrefix: string
  /** JSON: { Name, Type, Version } */
  tier: string
  solutionStackName: string | null
  platformArn: string
  templateName: string | null
  /** JSON: the settings that run now, as they were given, values verbatim; defaults are not in it. */
  settings: string
  /** JSON: what an update is bringing, or failed to bring. */
  draft: string | null
  draftState: 'pending' | 'failed' | null
  draftAt: number | null
  versionLabel: string | null
  status: EnvironmentStatus
  health: string
  healthStatus: string
  causes: string
  refreshedAt: number
  /** When the operation under way began, or the last one ended. */
  statusSince: number
  abortable: number
  /** Counts up with each attempt to deploy. */
  deploymentId: number
  /** What instances shall have: those with an older deployment, or none, get this one. 0 = nothing to give yet. */
  targetDeploymentId: number
  /** The last deployment that succeeded. */
  expectedDeploymentId: number | null
  loopbackPort: number | null
  /** A port of this machine at which it is not reached, and why; '' = none. */
  portProblem: string
  /** JSON: EnvironmentResources */
  resources: string
  /** Of the call that caused the operation under way. */
  requestId: string
  createdAt: number
  updatedAt: number
  terminatedAt: number | null
}

/** What the workflows made for an environment; a member goes when the thing is deleted. */
export type EnvironmentResources = {
  /** Of the default process. */
  targetGroupArn?: string
  /** JSON, of the others by their names. */
  furtherTargetGroups?: string
  /** JSON, by process: what gets its requests until the one that takes its place is healthy. */
  replacedTargetGroups?: string
  /** JSON list of ARNs: of processes that were replaced or are no more, until nothing uses them. */
  formerTargetGroups?: string
  loadBalancerSecurityGroupId?: string
  instanceSecurityGroupId?: string
  instanceSecurityGroupName?: string
  /** JSON: what a rule of that group says → its id. */
  instanceRules?: string
  launchConfigurationName?: string
  /** The one before, while instances are being replaced. */
  formerLaunchConfigurationName?: string
  autoScalingGroupName?: string
  /** JSON: what the settings said of the group when it was last told; scheduled actions may have changed it since. */
  groupSettings?: string
  /** ARNs. */
  scaleUpPolicyArn?: string
  scaleDownPolicyArn?: string
  trackingPolicyArn?: string
  highAlarmName?: string
  lowAlarmName?: string
  /** JSON list of ScheduledAction: what the settings said when they were put. */
  scheduledActions?: string
  loadBalancerArn?: string
  loadBalancerDnsName?: string
  /** Of a classic one, which is known by it. */
  loadBalancerName?: string
  /** JSON: port of a shared load balancer → the group in which the environment opened it. */
  openedPorts?: string
  /** It is somebody else's, and stays when the environment goes. */
  sharesLoadBalancer?: 'true'
  listenerArn?: string
  /** JSON: port → name → ARN, of the rules that settings ask for. */
  listenerRules?: string
  /** JSON, by port: those that settings ask for besides, with the ids of the rules that let clients in there. */
  furtherListeners?: string
  /** Allocation id of the elastic address of a single instance, and the address. */
  elasticAddressId?: string
  elasticAddress?: string
  /** Which of the two has the environment's names. */
  front?: 'load balancer' | 'elastic address'
}

export type DeploymentRow = {
  environmentId: string
  id: number
  versionLabel: string
  /** The environment's settings that this deployment puts on instances. */
  settings: string
  platformArn: string
  /** JSON: keys of the layers that it needs, in order. */
  layers: string
  state: 'building' | 'ready' | 'deploying' | 'deployed' | 'failed'
  reason: string | null
  requestId: string
  startedAt: number
  endedAt: number | null
}

export type EnvironmentInstanceRow = {
  environmentId: string
  instanceId: string
  /** The deployment that was put on it last; null = it awaits one. */
  deploymentId: number | null
  /** Revision that ec2 counts for that software. */
  revision: number | null
  state: 'Pending' | 'In Progress' | 'Deployed' | 'Failed'
  /** Output of the start check. */
  output: string
  deployedAt: number | null
  /** Since when it runs its deployment and the load balancer does not find it healthy; null while it does. */
  outOfServiceSince: number | null
  healthStatus: string
  causes: string
  launchedAt: number
}

export const findApplication = (store: Store, { account, region }: Scope, name: string | undefined) =>
  store.get<ApplicationRow>(
    'select * from application where account = :account and region = :region and name = :name',
    { account, region, name },
  )

export const findVersion = (
  store: Store,
  { account, region }: Scope,
  applicationName: string,
  label: string,
) =>
  store.get<ApplicationVersionRow>(
    `select * from application_version
     where account = :account and region = :region and application_name = :applicationName and label = :label`,
    { account, region, applicationName, label },
  )

export const environmentById = (store: Store, id: string) =>
  store.get<EnvironmentRow>('select * from environment where id = :id', { id })

/** The live environment of that name. */
export const liveEnvironment = (store: Store, { account, region }: Scope, name: string | undefined) =>
  store.get<EnvironmentRow>(
    `select * from environment
     where account = :account and region = :region and name = :name and terminated_at is null`,
    { account, region, name },
  )

/** AWS can rebuild a terminated environment for 42 days; then its row goes, with its deployments. */
export const TERMINATED_KEPT_MS = 42 * 24 * 3600_000

export function pruneTerminated(store: Store, now: number): number {
  const until = now - TERMINATED_KEPT_MS
  store.run(
    'delete from environment_info where environment_id in (select id from environment where terminated_at <= :until)',
    { until },
  )
  return store.run('delete from environment where terminated_at <= :until', { until })
}

/** Everything that is not terminated, oldest first. */
export const liveEnvironments = (store: Store) =>
  store.all<EnvironmentRow>('select * from environment where terminated_at is null order by created_at, id')

export const findDeployment = (store: Store, environmentId: string, id: number | null) =>
  store.get<DeploymentRow>('select * from deployment where environment_id = :environmentId and id = :id', {
    environmentId,
    id,
  })

export const instancesOf = (store: Store, environmentId: string) =>
  store.all<EnvironmentInstanceRow>(
    'select * from environment_instance where environment_id = :environmentId order by launched_at, instance_id',
    { environmentId },
  )

export const resourcesOf = (row: EnvironmentRow) => JSON.parse(row.resources) as EnvironmentResources
/** Process → the ARN of its target group. */
export const targetGroupsOf = (row: EnvironmentRow): Record<string, string> => {
  const { targetGroupArn, furtherTargetGroups = '{}' } = resourcesOf(row)
  return dictionary<string>(
    targetGroupArn === undefined ? {} : { default: targetGroupArn },
    JSON.parse(furtherTargetGroups) as Record<string, string>,
  )
}
/** Process → the target group that gets its requests until the one that takes its place is healthy. */
export const replacedIn = (row: EnvironmentRow) =>
  dictionary(
    JSON.parse(resourcesOf(row).replacedTargetGroups ?? '{}') as Record<
      string,
      { arn: string; port: number }
    >,
  )
export const settingsOf = (row: { settings: string }) => JSON.parse(row.settings) as Setting[]

type Scope = Pick<Context, 'account' | 'region'>
