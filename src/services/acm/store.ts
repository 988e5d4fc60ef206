// Rows of acm. A private key is in clear, since the balancer needs it; the database is its owner's alone.
import type { Migration, Store } from '../../store/store.ts'
import type { Context } from '../context.ts'
import type { ServerCertificate } from '../server-certificate.ts'

export const acmMigrations: Migration[] = [
  {
    id: 'acm.1',
    sql: `
    create table acm_certificate (
      arn text primary key, account text not null, region text not null, certificate text not null, chain text not null,
      private_key text not null, tags text not null, created_at integer not null, imported_at integer not null) strict;`,
  },
]

export type CertificateRow = ServerCertificate & {
  arn: string
  account: string
  region: string
  /** JSON object. */
  tags: string
  createdAt: number
  importedAt: number
}

const OF_OWNER = 'account = :account and region = :region'

export const certificateRow = (store: Store, { account, region }: Context, arn: string) =>
  store.get<CertificateRow>(`select * from acm_certificate where arn = :arn and ${OF_OWNER}`, {
    ...{ arn, account, region },
  })

export const certificateRows = (store: Store, { account, region }: Context) =>
  store.all<CertificateRow>(`select * from acm_certificate where ${OF_OWNER} order by created_at, arn`, {
    ...{ account, region },
  })

export const tagsOf = ({ tags }: CertificateRow) => JSON.parse(tags) as Record<string, string>
