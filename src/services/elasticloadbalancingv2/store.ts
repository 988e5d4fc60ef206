// Tables of elasticloadbalancingv2. Columns `state`, `impairment`, `health`, `reason`, `description`, `in_flight` are what
// was seen of the engine last, written on change; all others are intent.
import type { Condition } from '../../engines/balancer/engine.ts'
import type { Migration, Store } from '../../store/store.ts'
import type { Context } from '../context.ts'
import type { StoredAction } from './actions.ts'

/** Of migrations only: it does not change any more. */
const USE_VIEW = `
    create view elbv2_use as
      select account, region, load_balancer_arn, arn as listener_arn, value ->> 'targetGroupArn' as target_group_arn
        from elbv2_listener, json_each(action, '$.targetGroups')
      union all
      select l.account, l.region, l.load_balancer_arn, l.arn, value ->> 'targetGroupArn'
        from elbv2_rule r join elbv2_listener l on l.arn = r.listener_arn, json_each(r.action, '$.targetGroups');`

export const elasticloadbalancingv2Migrations: Migration[] = [
  {
    id: 'elasticloadbalancingv2.1',
    sql: `
    create table elbv2_load_balancer (
      arn text primary key, id text not null unique, account text not null, region text not null, name text not null,
      dns_name text not null, scheme text not null check (scheme in ('internet-facing', 'internal')), vpc_id text not null,
      subnets text not null, security_groups text not null, network_interface_id text not null, address text not null,
      attributes text not null, hosts text not null, loopback_port integer,
      state text not null check (state in ('provisioning', 'active')), impairment text not null default '', created_at integer not null,
      deleted_at integer) strict;
    create unique index elbv2_load_balancer_live on elbv2_load_balancer (account, region, name) where deleted_at is null;
    create table elbv2_target_group (
      arn text primary key, id text not null unique, account text not null, region text not null, name text not null,
      port integer not null, vpc_id text not null, health_check text not null, attributes text not null,
      created_at integer not null, unique (account, region, name)) strict;
    create table elbv2_listener (
      arn text primary key, account text not null, region text not null, load_balancer_arn text not null,
      port integer not null, target_group_arn text not null, rule_arn text not null, created_at integer not null,
      unique (load_balancer_arn, port)) strict;
    create table elbv2_target (
      target_group_arn text not null, target_id text not null, port integer not null, account text not null,
      region text not null, registered_at integer not null, draining_since integer,
      health text not null
        check (health in ('initial', 'healthy', 'unhealthy', 'unused', 'draining', 'unavailable')),
      reason text not null, description text not null, in_flight integer not null,
      primary key (target_group_arn, target_id, port)) strict;
    create table elbv2_tag (
      account text not null, region text not null, resource_arn text not null, key text not null, value text not null,
      primary key (resource_arn, key)) strict;`,
  },
  {
    id: 'elasticloadbalancingv2.2',
    sql: `
    alter table elbv2_listener add column action text not null default '';
    update elbv2_listener set action = json_object('type', 'forward', 'targetGroups',
      json_array(json_object('targetGroupArn', target_group_arn, 'weight', 1)), 'stickySeconds', null);
    alter table elbv2_listener drop column target_group_arn;
    alter table elbv2_listener add column protocol text not null default 'HTTP' check (protocol in ('HTTP', 'HTTPS'));
    alter table elbv2_listener add column ssl_policy text;
    alter table elbv2_listener add column certificates text not null default '[]';
    create table elbv2_rule (
      arn text primary key, account text not null, region text not null, listener_arn text not null,
      priority integer not null, conditions text not null, action text not null, created_at integer not null,
      unique (listener_arn, priority)) strict;
    ${USE_VIEW}`,
  },
  {
    id: 'elasticloadbalancingv2.3',
    sql: `
    create table elbv2_requests_read (
      id integer primary key check (id = 1), position text not null, published_until integer not null,
      generation integer not null) strict;
    create table elbv2_access_log (
      bucket text not null, key text not null, part integer not null, account text not null, region text not null,
      load_balancer_id text not null, due_at integer not null, content blob not null,
      primary key (bucket, key, part)) strict;
    alter table elbv2_target_group add column protocol text not null default 'HTTP' check (protocol in ('HTTP', 'HTTPS', 'TCP'));
    alter table elbv2_target_group add column target_type text not null default 'instance'
      check (target_type in ('instance', 'ip'));
    alter table elbv2_load_balancer add column type text not null default 'application' check (type in ('application', 'network'));
    drop view elbv2_use;
    alter table elbv2_listener rename to elbv2_listener_before;
    create table elbv2_listener (
      arn text primary key, account text not null, region text not null, load_balancer_arn text not null,
      port integer not null, rule_arn text not null, created_at integer not null, action text not null,
      protocol text not null check (protocol in ('HTTP', 'HTTPS', 'TCP')), ssl_policy text, certificates text not null,
      unique (load_balancer_arn, port)) strict;
    insert into elbv2_listener
      select arn, account, region, load_balancer_arn, port, rule_arn, created_at, action, protocol, ssl_policy, certificates
      from elbv2_listener_before;
    drop table elbv2_listener_before;
    ${USE_VIEW}
    create table elbv2_reason (id text primary key, reason text not null) strict, without rowid;
    create table elbv2_metric (
      subject text not null, minute integer not null, figures text not null,
      primary key (subject, minute)) strict, without rowid;`,
  },
  {
    id: 'elasticloadbalancingv2.4',
    sql: `
    create table elbv2_sharer (
      load_balancer_arn text not null, sharer text not null, host text not null, loopback_port integer,
      primary key (load_balancer_arn, sharer)) strict, without rowid;
    alter table elbv2_load_balancer add column is_classic integer not null default 0;
    alter table elbv2_target_group add column is_classic integer not null default 0;`,
  },
  { id: 'elasticloadbalancingv2.5.metrics', sql: 'drop table elbv2_metric' }, // they are CloudWatch's
]

export type LoadBalancerRow = {
  arn: string
  /** The last part of the ARN, 16 hexadecimal digits: its name in the engine. */
  id: string
  account: string
  region: string
  name: string
  type: 'application' | 'network'
  /** 1 = it is one of the service `elasticloadbalancing`, and here answered only to who has its ARN. */
  isClassic: number
  dnsName: string
  scheme: 'internet-facing' | 'internal'
  vpcId: string
  /** JSON lists. */
  subnets: string
  securityGroups: string
  networkInterfaceId: string
  address: string
  /** JSON object of the attributes that were set. */
  attributes: string
  /** JSON list of further names, lower case. */
  hosts: string
  loopbackPort: number | null
  state: 'provisioning' | 'active'
  /** Why it cannot be reached at some port of this machine; '' = it can. */
  impairment: string
  createdAt: number
  /** Set by DeleteLoadBalancer; the row goes when the engine does not carry it any more. */
  deletedAt: number | null
}

/** One of those who share a load balancer, each by a name of its own. */
export type SharerRow = {
  loadBalancerArn: string
  sharer: string
  /** In lower case. */
  host: string
  loopbackPort: number | null
}

export type HealthCheckSettings = {
  /** TCP: it is enough that the target takes a connection; path and matcher say nothing then. */
  protocol: 'HTTP' | 'HTTPS' | 'TCP'
  port: number | null
  path: string
  intervalSeconds: number
  timeoutSeconds: number
  healthyThreshold: number
  unhealthyThreshold: number
  matcher: string
}

export type TargetGroupRow = {
  arn: string
  id: string
  account: string
  region: string
  name: string
  port: number
  protocol: 'HTTP' | 'HTTPS' | 'TCP'
  /** Likewise, of a classic load balancer. */
  isClassic: number
  /** Of `ip` the target's id is its address. */
  targetType: 'instance' | 'ip'
  vpcId: string
  /** JSON of HealthCheckSettings. */
  healthCheck: string
  attributes: string
  createdAt: number
}

export type ListenerRow = {
  arn: string
  account: string
  region: string
  loadBalancerArn: string
  port: number
  /** TCP of network load balancers, and of no others. */
  protocol: 'HTTP' | 'HTTPS' | 'TCP'
  /** Of HTTPS. */
  sslPolicy: string | null
  /** JSON list of ARNs, the default one first; empty for HTTP. */
  certificates: string
  /** JSON of a StoredAction. */
  action: string
  /** Of the default rule. */
  ruleArn: string
  createdAt: number
}

export type RuleRow = {
  arn: string
  account: string
  region: string
  listenerArn: string
  /** 1 to 50,000; the lowest is asked first. */
  priority: number
  /** JSON of a list of the engine's conditions. */
  conditions: string
  /** JSON of a StoredAction. */
  action: string
  createdAt: number
}

/** That a listener or one of its rules forwards to a target group. */
export type UseRow = {
  account: string
  region: string
  loadBalancerArn: string
  listenerArn: string
  targetGroupArn: string
}

export type TargetRow = {
  targetGroupArn: string
  targetId: string
  port: number
  account: string
  region: string
  registeredAt: number
  drainingSince: number | null
  health: 'initial' | 'healthy' | 'unhealthy' | 'unused' | 'draining' | 'unavailable'
  reason: string
  description: string
  inFlight: number
}

type Owner = Pick<Context, 'account' | 'region'>
const OF_OWNER = 'account = :account and region = :region'
const owner = ({ account, region }: Owner) => ({ account, region })

export const loadBalancersOf = (store: Store, context: Owner) =>
  store.all<LoadBalancerRow>(
    `select * from elbv2_load_balancer where deleted_at is null and ${OF_OWNER}`,
    owner(context),
  )

export const loadBalancerOf = (store: Store, context: Owner, arn: string) =>
  store.get<LoadBalancerRow>(
    `select * from elbv2_load_balancer where arn = :arn and deleted_at is null and ${OF_OWNER}`,
    { arn, ...owner(context) },
  )

export const targetGroupOf = (store: Store, context: Owner, arn: string) =>
  store.get<TargetGroupRow>(`select * from elbv2_target_group where arn = :arn and ${OF_OWNER}`, {
    arn,
    ...owner(context),
  })

export const targetGroupsOf = (store: Store, context: Owner) =>
  store.all<TargetGroupRow>(`select * from elbv2_target_group where ${OF_OWNER}`, owner(context))

export const listenersOf = (store: Store, context: Owner) =>
  store.all<ListenerRow>(`select * from elbv2_listener where ${OF_OWNER}`, owner(context))

export const rulesOf = (store: Store, listenerArn: string) =>
  store.all<RuleRow>('select * from elbv2_rule where listener_arn = :listenerArn order by priority', {
    listenerArn,
  })

export const ruleOf = (store: Store, context: Owner, arn: string) =>
  store.get<RuleRow>(`select * from elbv2_rule where arn = :arn and ${OF_OWNER}`, { arn, ...owner(context) })

export const usesOf = (store: Store, context: Owner) =>
  store.all<UseRow>(`select * from elbv2_use where ${OF_OWNER}`, owner(context))

export const targetsOf = (store: Store, targetGroupArn: string) =>
  store.all<TargetRow>(
    'select * from elbv2_target where target_group_arn = :targetGroupArn order by target_id, port',
    { targetGroupArn },
  )

export const updateTarget = (
  store: Store,
  { targetGroupArn, targetId, port }: TargetRow,
  set: Partial<TargetRow>,
) => store.update('elbv2_target', { targetGroupArn, targetId, port }, set)

export const removeTarget = (store: Store, { targetGroupArn, targetId, port }: TargetRow) =>
  store.remove('elbv2_target', { targetGroupArn, targetId, port })

export const listOf = (json: string) => JSON.parse(json) as string[]
export const actionOf = ({ action }: { action: string }) => JSON.parse(action) as StoredAction
export const conditionsOf = ({ conditions }: RuleRow) => JSON.parse(conditions) as Condition[]
export const attributesOf = (json: string) => JSON.parse(json) as Record<string, string>
/** Of releases that knew no other protocol they have none. */
export const healthCheckOf = ({ healthCheck }: Pick<TargetGroupRow, 'healthCheck'>): HealthCheckSettings => ({
  protocol: 'HTTP',
  ...(JSON.parse(healthCheck) as Omit<HealthCheckSettings, 'protocol'>),
})

/** What AWS puts before a load balancer's name. */
export const pathOf = ({ type, name, id }: Pick<LoadBalancerRow, 'type' | 'name' | 'id'>): string =>
  `${type === 'network' ? 'net' : 'app'}/${name}/${id}`

/** 16 hexadecimal digits that end an ARN; '' when it is none of ours. */
export const idOfArn = (arn: string) => /\/([0-9a-f]{16})$/.exec(arn)?.[1] ?? ''
