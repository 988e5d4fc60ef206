// Tables of autoscaling. What an instance does is ec2's to say; here is only its membership.
import type { Migration, Store } from '../../store/store.ts'
import type { Context } from '../context.ts'
import type { LifecycleState } from './lifecycle.ts'

export const autoscalingMigrations: Migration[] = [
  {
    id: 'autoscaling.1',
    sql: `
    create table autoscaling_launch_configuration (
      account text not null, region text not null, name text not null, arn text not null, image_id text not null,
      instance_type text not null, security_groups text not null, iam_instance_profile text, monitoring integer not null,
      block_device_mappings text not null, created_at integer not null, primary key (account, region, name)) strict;
    create table autoscaling_group (
      account text not null, region text not null, name text not null, arn text not null,
      launch_configuration_name text not null, min_size integer not null, max_size integer not null,
      desired_capacity integer not null, default_cooldown integer not null, zones text not null, subnets text not null,
      target_groups text not null, health_check_type text not null, health_check_grace_seconds integer not null,
      termination_policies text not null, protect_new integer not null, service_linked_role text, suspended text not null,
      deleting integer not null, force_delete integer not null, cause text, launch_failures integer not null,
      launch_retry_at integer, request_id text not null, created_at integer not null,
      primary key (account, region, name),
      check (min_size <= desired_capacity and desired_capacity <= max_size)) strict;
    create table autoscaling_tag (
      account text not null, region text not null, group_name text not null, key text not null, value text not null,
      propagate integer not null, primary key (account, region, group_name, key)) strict;
    create table autoscaling_instance (
      instance_id text primary key, account text not null, region text not null, group_name text not null,
      instance_type text not null, image_id text not null, zone text not null, launch_configuration_name text not null,
      lifecycle_state text not null check (lifecycle_state in ('Pending', 'InService', 'Terminating')),
      health_status text not null check (health_status in ('Healthy', 'Unhealthy')), protected integer not null,
      registered text not null, terminate_sent integer not null, activity_id text, created_at integer not null,
      in_service_at integer) strict;
    create index autoscaling_instance_group on autoscaling_instance (account, region, group_name);
    create table autoscaling_activity (
      seq integer primary key, id text not null unique, account text not null, region text not null,
      group_name text not null, group_arn text not null, description text not null, cause text not null,
      status text not null, status_message text, progress integer not null, details text not null,
      started_at integer not null, ended_at integer) strict;
    create index autoscaling_activity_group on autoscaling_activity (account, region, group_name, seq);`,
  },
  {
    id: 'autoscaling.2.metadata',
    sql: `alter table autoscaling_launch_configuration add column metadata_options text not null default '{}'`,
  },
  {
    // A group launches by a launch configuration or by a template; the other's columns are empty.
    id: 'autoscaling.2.templates',
    sql: `
    alter table autoscaling_launch_configuration add column key_name text not null default '';
    alter table autoscaling_group add column launch_template text;
    alter table autoscaling_instance add column launch_template text;`,
  },
  {
    // Members get the other states of their lifecycle, which the first table's check does not let in.
    id: 'autoscaling.3.scaling',
    sql: `
    alter table autoscaling_group add column default_instance_warmup integer;
    alter table autoscaling_group add column max_instance_lifetime integer not null default 0;
    alter table autoscaling_group add column enabled_metrics text not null default '[]';
    alter table autoscaling_group add column cooldown_seconds integer;
    alter table autoscaling_group add column cooldown_from integer;
    create table autoscaling_instance_3 (
      instance_id text primary key, account text not null, region text not null, group_name text not null,
      instance_type text not null, image_id text not null, zone text not null, launch_configuration_name text not null,
      lifecycle_state text not null, health_status text not null check (health_status in ('Healthy', 'Unhealthy')),
      protected integer not null, registered text not null, terminate_sent integer not null, activity_id text,
      created_at integer not null, in_service_at integer, launch_template text) strict;
    insert into autoscaling_instance_3 select instance_id, account, region, group_name, instance_type, image_id, zone,
      launch_configuration_name, lifecycle_state, health_status, protected, registered, terminate_sent, activity_id,
      created_at, in_service_at, launch_template from autoscaling_instance;
    drop table autoscaling_instance;
    alter table autoscaling_instance_3 rename to autoscaling_instance;
    create index autoscaling_instance_group on autoscaling_instance (account, region, group_name);
    create table autoscaling_policy (
      account text not null, region text not null, group_name text not null, name text not null, arn text not null unique,
      type text not null check (type in ('SimpleScaling', 'StepScaling', 'TargetTrackingScaling')),
      adjustment_type text, min_adjustment_magnitude integer, scaling_adjustment integer, cooldown integer,
      metric_aggregation_type text, steps text not null, estimated_instance_warmup integer, target text,
      enabled integer not null, alarms text not null, alarm_points text,
      primary key (account, region, group_name, name)) strict;
    create table autoscaling_scheduled_action (
      account text not null, region text not null, group_name text not null, name text not null, arn text not null,
      start_at integer, end_at integer, recurrence text, time_zone text, min_size integer, max_size integer,
      desired_capacity integer, next_at integer, primary key (account, region, group_name, name)) strict;
    create index autoscaling_scheduled_action_next on autoscaling_scheduled_action (next_at);
    create table autoscaling_hook (
      account text not null, region text not null, group_name text not null, name text not null,
      transition text not null check (transition in ('launching', 'terminating')), metadata text,
      heartbeat_seconds integer not null, default_result text not null check (default_result in ('CONTINUE', 'ABANDON')),
      primary key (account, region, group_name, name)) strict;
    create table autoscaling_lifecycle_action (
      token text primary key, account text not null, region text not null, group_name text not null,
      hook_name text not null, instance_id text not null,
      transition text not null check (transition in ('launching', 'terminating')), heartbeat_seconds integer not null,
      default_result text not null, deadline integer not null, last_deadline integer not null,
      result text check (result in ('CONTINUE', 'ABANDON'))) strict;
    create index autoscaling_lifecycle_action_instance on autoscaling_lifecycle_action (instance_id);
    create table autoscaling_refresh (
      seq integer primary key, id text not null unique, account text not null, region text not null,
      group_name text not null, status text not null, status_reason text, started_at integer not null,
      ended_at integer, progress_at integer not null, instances integer not null, to_update integer not null,
      preferences text not null, desired text, rollback text) strict;
    create index autoscaling_refresh_group on autoscaling_refresh (account, region, group_name, seq);`,
  },
]

export type LaunchConfigurationRow = {
  account: string
  region: string
  name: string
  arn: string
  imageId: string
  instanceType: string
  /** '' = none. */
  keyName: string
  /** JSON list of ids. */
  securityGroups: string
  iamInstanceProfile: string | null
  monitoring: number
  /** JSON, in the form of the request. */
  blockDeviceMappings: string
  /** JSON of InstanceMetadataOptions; what is not said is as ec2 has it. */
  metadataOptions: string
  createdAt: number
}

export type GroupRow = {
  account: string
  region: string
  name: string
  arn: string
  /** '' = it launches by a template. */
  launchConfigurationName: string
  /** JSON: LaunchTemplateSpecification with id, name and version as it was asked for (`$Latest`). */
  launchTemplate: string | null
  minSize: number
  maxSize: number
  desiredCapacity: number
  defaultCooldown: number
  /** JSON lists. */
  zones: string
  subnets: string
  targetGroups: string
  healthCheckType: 'EC2' | 'ELB'
  healthCheckGraceSeconds: number
  terminationPolicies: string
  protectNew: number
  serviceLinkedRole: string | null
  suspended: string
  deleting: number
  forceDelete: number
  /** First sentence of the cause of the next activities: who changed the capacity. */
  cause: string | null
  /** Seconds that an instance needs before it counts for step and target tracking policies; null = not said. */
  defaultInstanceWarmup: number | null
  /** Seconds; 0 = members may get as old as they like. */
  maxInstanceLifetime: number
  /** JSON list of group metrics that are collected. */
  enabledMetrics: string
  /** Of the simple policy that changed the capacity last; null = the group's default. */
  cooldownSeconds: number | null
  /** When the capacity was changed or the last launch or termination ended, in milliseconds since 1970; null = never. */
  cooldownFrom: number | null
  launchFailures: number
  launchRetryAt: number | null
  requestId: string
  createdAt: number
}

export type MemberRow = {
  instanceId: string
  account: string
  region: string
  groupName: string
  instanceType: string
  imageId: string
  zone: string
  launchConfigurationName: string
  /** JSON: the template, and the number of the version that it was launched with. */
  launchTemplate: string | null
  lifecycleState: LifecycleState
  healthStatus: 'Healthy' | 'Unhealthy'
  protected: number
  /** JSON list of the target groups that it was registered with. */
  registered: string
  terminateSent: number
  /** The activity under way: its launch, later its termination. */
  activityId: string | null
  createdAt: number
  inServiceAt: number | null
}

export type GroupTagRow = {
  account: string
  region: string
  groupName: string
  key: string
  value: string
  propagate: number
}

export type ActivityRow = {
  seq: number
  id: string
  account: string
  region: string
  groupName: string
  groupArn: string
  description: string
  cause: string
  status: 'InProgress' | 'MidLifecycleAction' | 'Successful' | 'Failed' | 'Cancelled'
  statusMessage: string | null
  progress: number
  details: string
  startedAt: number
  endedAt: number | null
}

type Owner = Pick<Context, 'account' | 'region'>
const OF_OWNER = 'account = :account and region = :region'
const owner = ({ account, region }: Owner) => ({ account, region })

export const launchConfigurationsOf = (store: Store, context: Owner) =>
  store.all<LaunchConfigurationRow>(
    `select * from autoscaling_launch_configuration where ${OF_OWNER}`,
    owner(context),
  )

export const launchConfigurationOf = (store: Store, context: Owner, name: string) =>
  store.get<LaunchConfigurationRow>(
    `select * from autoscaling_launch_configuration where ${OF_OWNER} and name = :name`,
    {
      ...owner(context),
      name,
    },
  )

export const groupsOf = (store: Store, context: Owner) =>
  store.all<GroupRow>(`select * from autoscaling_group where ${OF_OWNER}`, owner(context))

export const groupOf = (store: Store, context: Owner, name: string) =>
  store.get<GroupRow>(`select * from autoscaling_group where ${OF_OWNER} and name = :name`, {
    ...owner(context),
    name,
  })

export const membersOf = (
  store: Store,
  { account, region, name }: Pick<GroupRow, 'account' | 'region' | 'name'>,
) =>
  store.all<MemberRow>(
    `select * from autoscaling_instance where ${OF_OWNER} and group_name = :name order by created_at, instance_id`,
    { account, region, name },
  )

export const memberOf = (store: Store, context: Owner, instanceId: string) =>
  store.get<MemberRow>(`select * from autoscaling_instance where ${OF_OWNER} and instance_id = :instanceId`, {
    ...owner(context),
    instanceId,
  })

export const groupTagsOf = (
  store: Store,
  { account, region, name }: Pick<GroupRow, 'account' | 'region' | 'name'>,
) =>
  store.all<GroupTagRow>(
    `select * from autoscaling_tag where ${OF_OWNER} and group_name = :name order by key`,
    {
      account,
      region,
      name,
    },
  )

export const updateGroup = (store: Store, { account, region, name }: GroupRow, set: Partial<GroupRow>) =>
  store.update('autoscaling_group', { account, region, name }, set)

export const updateMember = (store: Store, { instanceId }: MemberRow, set: Partial<MemberRow>) =>
  store.update('autoscaling_instance', { instanceId }, set)

export const listOf = (json: string) => JSON.parse(json) as string[]
