// Tables of ec2. An instance has columns of three kinds: what was asked (written by operations), what AWS shows of it
// (`state…`, moved by the plan), and what was seen of it last (`engine…`, address, boot; written on change only).
import type { InstanceState } from '../../engines/compute/engine.ts'
import type { Migration, Store } from '../../store/store.ts'
import type { Context } from '../context.ts'

export const ec2Migrations: Migration[] = [
  {
    id: 'ec2.1',
    sql: `
    create table home_generation (id text primary key) strict;
    create table ec2_instance (
      id text primary key, account text not null, region text not null,
      reservation_id text not null, launch_index integer not null, client_token text, request_digest text not null,
      request_id text not null, image_id text not null, instance_type text not null, subnet_id text not null,
      vpc_id text not null, zone text not null, network_interface_id text not null, disk_bytes integer not null,
      iam_instance_profile text, monitoring integer not null, awaits_software integer not null, launched_at integer not null,
      desired text not null check (desired in ('running', 'stopped', 'terminated')), reboot_boot text,
      state text not null, state_reason_code text, state_reason_message text, state_transition_reason text not null,
      terminated_at integer,
      engine_state text, address text, boot text not null, revision integer not null, down_since integer,
      recoveries text not null) strict;
    create index ec2_instance_token on ec2_instance (account, region, client_token) where client_token is not null;
    create table ec2_instance_software (
      instance_id text primary key, account text not null, region text not null, revision integer not null,
      intent text not null, put_at integer not null, state text not null check (state in ('pending', 'applied', 'failed')),
      output text not null, checked_revision integer not null, checked_boot text not null) strict;
    create table ec2_network_interface (
      id text primary key, account text not null, region text not null, subnet_id text not null, vpc_id text not null,
      zone text not null, address text not null unique, groups text not null, description text not null,
      instance_id text, created_at integer not null, released_at integer) strict;
    create table ec2_security_group (
      id text primary key, account text not null, region text not null, vpc_id text not null, name text not null,
      description text not null, unique (account, region, vpc_id, name)) strict;
    create table ec2_security_group_rule (
      id text primary key, account text not null, region text not null, group_id text not null, egress integer not null,
      protocol text not null, from_port integer, to_port integer, cidr4 text, cidr6 text, peer_group_id text,
      description text) strict;
    create index ec2_security_group_rule_group on ec2_security_group_rule (group_id);
    create table ec2_tag (
      account text not null, region text not null, resource_id text not null, resource_type text not null,
      key text not null, value text not null, primary key (resource_id, key)) strict;
    create table ec2_capacity (
      account text not null, region text not null, cpu real not null, memory_bytes integer not null,
      disk_bytes integer not null, architecture text not null, primary key (account, region)) strict;`,
  },
  {
    id: 'ec2.2.memory',
    sql: `
    create table ec2_instance_memory (
      instance_id text primary key, used_bytes integer, oom_kills integer not null, oom_process text not null,
      oom_of_machine integer not null, oom_at integer) strict;
    create table ec2_instance_log (
      instance_id text primary key, environment text not null, ended_at integer not null, reason text not null,
      text blob not null, bytes integer not null) strict;`,
  },
  { id: 'ec2.2.awaits-layers', sql: 'alter table ec2_instance add column awaits_layers_since integer' },
  {
    id: 'ec2.2.other-memory',
    sql: 'alter table ec2_capacity add column other_memory_bytes integer not null default 0',
  },
  {
    id: 'ec2.3.operations',
    sql: `
    alter table ec2_instance add column key_name text;
    alter table ec2_instance add column user_data text;
    alter table ec2_instance add column disable_api_termination integer not null default 0;
    alter table ec2_instance add column disable_api_stop integer not null default 0;
    create table ec2_key_pair (
      id text primary key, account text not null, region text not null, name text not null, type text not null,
      fingerprint text not null, public_key text not null, created_at integer not null,
      unique (account, region, name)) strict;
    create table ec2_address (
      id text primary key, account text not null, region text not null, public_ip text not null unique,
      association_id text, network_interface_id text, released_at integer) strict;
    create table ec2_launch_template (
      id text primary key, account text not null, region text not null, name text not null, created_at integer not null,
      created_by text not null, default_version integer not null, latest_version integer not null, client_token text,
      request_digest text not null, unique (account, region, name)) strict;
    create table ec2_launch_template_version (
      template_id text not null, number integer not null, description text, data text not null,
      created_at integer not null, created_by text not null, client_token text,
      primary key (template_id, number)) strict;`,
  },
  {
    id: 'ec2.4.metadata',
    sql: `
    alter table ec2_instance add column metadata_options text not null default '{}';
    alter table ec2_instance add column public_key text;
    update ec2_instance set public_key =
      (select public_key from ec2_key_pair pair
       where pair.account = ec2_instance.account and pair.region = ec2_instance.region and pair.name = key_name);
    create table ec2_metadata_key (key text primary key) strict;`,
  },
  {
    id: 'ec2.5.elastic-addresses',
    sql: `
    alter table ec2_address add column hosts text not null default '[]';
    alter table ec2_address add column loopback_port integer;
    alter table ec2_address add column leads_to text;
    alter table ec2_address add column in_flight integer not null default 0;
    alter table ec2_address add column impairment text not null default '';`,
  },
]

export type InstanceRow = {
  id: string
  account: string
  region: string
  reservationId: string
  launchIndex: number
  clientToken: string | null
  requestDigest: string
  requestId: string
  imageId: string
  instanceType: string
  subnetId: string
  vpcId: string
  zone: string
  networkInterfaceId: string
  diskBytes: number
  iamInstanceProfile: string | null
  monitoring: number
  awaitsSoftware: number
  launchedAt: number
  desired: 'running' | 'stopped' | 'terminated'
  /** The boot that a RebootInstances wants to end; null when none is asked. */
  rebootBoot: string | null
  state: 'pending' | 'running' | 'shutting-down' | 'terminated' | 'stopping' | 'stopped'
  stateReasonCode: string | null
  stateReasonMessage: string | null
  stateTransitionReason: string
  terminatedAt: number | null
  /** null: never seen by the engine. `gone`: was seen, is not listed any more. */
  engineState: InstanceState | 'gone' | null
  address: string | null
  boot: string
  revision: number
  /** Since when it should run and does not (or cannot be seen), epoch ms. */
  downSince: number | null
  /** Since when it should run and layers of its software are not there: they are being built again, epoch ms. */
  awaitsLayersSince: number | null
  /** JSON list of epoch ms: when it ended by itself and was to be brought back in place. */
  recoveries: string
  keyName: string | null
  /** Of the key pair as it was at the launch: `ssh-rsa AAAA…`. */
  publicKey: string | null
  /** Base64, as it was sent. */
  userData: string | null
  disableApiTermination: number
  disableApiStop: number
  /** JSON of MetadataOptions; what is not said is METADATA_DEFAULTS. */
  metadataOptions: string
}

export type KeyPairRow = {
  id: string
  account: string
  region: string
  name: string
  type: 'rsa' | 'ed25519'
  fingerprint: string
  /** `ssh-rsa AAAA…`, without a comment. */
  publicKey: string
  createdAt: number
}

export type AddressRow = {
  id: string
  account: string
  region: string
  publicIp: string
  associationId: string | null
  networkInterfaceId: string | null
  /** JSON: names by which the public listener knows it. */
  hosts: string
  /** A port of loopback that leads there too. */
  loopbackPort: number | null
  /** Id of the instance that the engine was seen to lead to. */
  leadsTo: string | null
  /** Requests that were under way when the engine was last seen. */
  inFlight: number
  /** Where it is not reached, and why; '' = nowhere. */
  impairment: string
  /** Set when it was released: it rests until ADDRESS_REST_MS is over. */
  releasedAt: number | null
}

export type SoftwareRow = {
  instanceId: string
  account: string
  region: string
  revision: number
  /** JSON of SoftwareIntent. */
  intent: string
  putAt: number
  state: 'pending' | 'applied' | 'failed'
  output: string
  checkedRevision: number
  checkedBoot: string
}

export type NetworkInterfaceRow = {
  id: string
  account: string
  region: string
  subnetId: string
  vpcId: string
  zone: string
  address: string
  /** JSON list of security group ids. */
  groups: string
  description: string
  instanceId: string | null
  createdAt: number
  /** Set when it was deleted: the address rests until ADDRESS_REST_MS is over. */
  releasedAt: number | null
}

export type SecurityGroupRow = {
  id: string
  account: string
  region: string
  vpcId: string
  name: string
  description: string
}

export type SecurityGroupRuleRow = {
  id: string
  account: string
  region: string
  groupId: string
  egress: number
  /** `tcp`, `udp`, `icmp`, `icmpv6`, a number, or `-1` for all. */
  protocol: string
  fromPort: number | null
  toPort: number | null
  cidr4: string | null
  cidr6: string | null
  peerGroupId: string | null
  description: string | null
}

export type TagRow = {
  account: string
  region: string
  resourceId: string
  resourceType: string
  key: string
  value: string
}

export type CapacityRow = {
  cpu: number
  memoryBytes: number
  /** Of the system and other programs; moved only when it changed much. */
  otherMemoryBytes: number
  diskBytes: number
  architecture: 'x86_64' | 'arm64'
}

/** AWS does not promise it; Polebean does, so that nobody meets an old instance's clients (design §5). */
export const ADDRESS_REST_MS = 10 * 60_000
/** How long a terminated instance stays visible. AWS: "for a short while (usually less than one hour)". */
export const TERMINATED_VISIBLE_MS = 60 * 60_000

const OF_OWNER = 'account = :account and region = :region'

export const instancesOf = (store: Store, { account, region }: Pick<Context, 'account' | 'region'>) =>
  store.all<InstanceRow>(`select * from ec2_instance where ${OF_OWNER}`, { account, region })

export const instanceOf = (store: Store, { account, region }: Context, id: string) =>
  store.get<InstanceRow>(`select * from ec2_instance where id = :id and ${OF_OWNER}`, { id, account, region })

export const softwareOf = (store: Store, instanceId: string) =>
  store.get<SoftwareRow>('select * from ec2_instance_software where instance_id = :instanceId', {
    instanceId,
  })

export const networkInterfacesOf = (store: Store, { account, region }: Context) =>
  store.all<NetworkInterfaceRow>(
    `select * from ec2_network_interface where released_at is null and ${OF_OWNER}`,
    {
      account,
      region,
    },
  )

export const networkInterfaceOf = (store: Store, { account, region }: Context, id: string) =>
  store.get<NetworkInterfaceRow>(
    `select * from ec2_network_interface where id = :id and released_at is null and ${OF_OWNER}`,
    { id, account, region },
  )

/** How many addresses of a subnet are taken. */
export const addressesTaken = (store: Store, subnetId: string): number =>
  store.get<{ taken: number }>(
    'select count(*) as taken from ec2_network_interface where subnet_id = :subnetId and released_at is null',
    { subnetId },
  )!.taken

export const securityGroupOf = (store: Store, { account, region }: Context, id: string) =>
  store.get<SecurityGroupRow>(`select * from ec2_security_group where id = :id and ${OF_OWNER}`, {
    id,
    account,
    region,
  })

export const securityGroupsOf = (store: Store, { account, region }: Context) =>
  store.all<SecurityGroupRow>(`select * from ec2_security_group where ${OF_OWNER}`, { account, region })

export const rulesOf = (store: Store, groupId: string) =>
  store.all<SecurityGroupRuleRow>(
    'select * from ec2_security_group_rule where group_id = :groupId order by rowid',
    {
      groupId,
    },
  )

export const rulesOfOwner = (store: Store, { account, region }: Context) =>
  store.all<SecurityGroupRuleRow>(
    `select * from ec2_security_group_rule where ${OF_OWNER} order by group_id, rowid`,
    { account, region },
  )

export const keyPairsOf = (store: Store, { account, region }: Context) =>
  store.all<KeyPairRow>(`select * from ec2_key_pair where ${OF_OWNER}`, { account, region })

export const addressesOf = (store: Store, { account, region }: Context) =>
  store.all<AddressRow>(`select * from ec2_address where released_at is null and ${OF_OWNER}`, {
    account,
    region,
  })

export const tagsOf = (store: Store, resourceId: string) =>
  store.all<TagRow>('select * from ec2_tag where resource_id = :resourceId order by key', { resourceId })

export const generationOf = (store: Store) => store.get<{ id: string }>('select id from home_generation')?.id
