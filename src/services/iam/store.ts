// Rows of the iam service. Roles and policies are accepted and described, without effect: nothing evaluates policies, and
// instances get no credentials; access keys are what requests are signed with. IAM is global, so its rows have an account
// and no region. Names differ in more than case.
import type { Migration, Row, Store } from '../../store/store.ts'
import type { ServerCertificate } from '../server-certificate.ts'

export const iamMigrations: Migration[] = [
  {
    id: 'iam.1',
    sql: `
    create table iam_role (
      account text not null, name text not null collate nocase, path text not null, id text not null,
      trust_policy text not null, description text, session_seconds_max integer not null, service_name text,
      tags text not null, created_at integer not null, primary key (account, name)) strict, without rowid;
    create table iam_role_policy (
      account text not null, role_name text not null collate nocase, name text not null, document text not null,
      primary key (account, role_name, name),
      foreign key (account, role_name) references iam_role (account, name)) strict, without rowid;
    create table iam_role_attachment (
      account text not null, role_name text not null collate nocase, policy_arn text not null,
      primary key (account, role_name, policy_arn),
      foreign key (account, role_name) references iam_role (account, name)) strict, without rowid;
    create table iam_instance_profile (
      account text not null, name text not null collate nocase, path text not null, id text not null,
      role_name text collate nocase, tags text not null, created_at integer not null, primary key (account, name),
      foreign key (account, role_name) references iam_role (account, name)) strict, without rowid;`,
  },
  {
    // The secret is in clear, since a signature can be checked with nothing less; the database is its owner's alone.
    id: 'iam.2',
    sql: `
    create table iam_access_key (
      account text not null, id text not null, secret text not null,
      status text not null check (status in ('Active', 'Inactive')), created_at integer not null, expires_at integer,
      last_used_at integer, last_used_service text, last_used_region text,
      primary key (account, id)) strict, without rowid;`,
  },
  {
    // The key is in clear, since load balancers need it.
    id: 'iam.3',
    sql: `
    create table iam_server_certificate (
      account text not null, name text not null collate nocase, path text not null, id text not null,
      certificate text not null, chain text not null, private_key text not null, tags text not null,
      created_at integer not null, primary key (account, name)) strict, without rowid;`,
  },
]

export type RoleRow = {
  account: string
  name: string
  path: string
  id: string
  trustPolicy: string
  description: string | null
  sessionSecondsMax: number
  /** Of a service-linked role: the service that it belongs to. */
  serviceName: string | null
  tags: string
  createdAt: number
}

export type InstanceProfileRow = {
  account: string
  name: string
  path: string
  id: string
  roleName: string | null
  tags: string
  createdAt: number
}

export type AccessKeyRow = {
  account: string
  id: string
  secret: string
  status: 'Active' | 'Inactive'
  createdAt: number
  /** When a key that was rotated out stops working; null: never. */
  expiresAt: number | null
  /** At most a minute behind. */
  lastUsedAt: number | null
  lastUsedService: string | null
  lastUsedRegion: string | null
}

export type ServerCertificateRow = ServerCertificate & {
  account: string
  name: string
  path: string
  id: string
  tags: string
  createdAt: number
}

export const serverCertificateRow = (store: Store, account: string, name: string) =>
  store.get<ServerCertificateRow>(
    'select * from iam_server_certificate where account = :account and name = :name',
    { account, name },
  )

/** Oldest first. */
export const accessKeyRows = (store: Store, account: string) =>
  store.all<AccessKeyRow>('select * from iam_access_key where account = :account order by created_at, id', {
    account,
  })

export const roleRow = (store: Store, account: string, name: string) =>
  store.get<RoleRow>('select * from iam_role where account = :account and name = :name', { account, name })

export const instanceProfileRow = (store: Store, account: string, name: string) =>
  store.get<InstanceProfileRow>(
    'select * from iam_instance_profile where account = :account and name = :name',
    {
      account,
      name,
    },
  )

export const attachments = (store: Store, account: string, roleName: string) =>
  store
    .all<{ policyArn: string }>(
      'select policy_arn from iam_role_attachment where account = :account and role_name = :roleName order by policy_arn',
      { account, roleName },
    )
    .map((row) => row.policyArn)

export const rolePolicies = (store: Store, account: string, roleName: string) =>
  store.all<{ name: string; document: string }>(
    'select name, document from iam_role_policy where account = :account and role_name = :roleName order by name',
    { account, roleName },
  )

export const count = (
  store: Store,
  table: 'iam_role' | 'iam_instance_profile' | 'iam_server_certificate',
  account: string,
): number =>
  store.get<Row & { count: number }>(`select count(*) as count from ${table} where account = :account`, {
    account,
  })?.count ?? 0
