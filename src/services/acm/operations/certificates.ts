import type { Tag } from '@aws-sdk/client-acm'
import { DeclaredError } from '../../../kernel/errors.ts'
import type { Context } from '../../context.ts'
import type { AcmOperations } from '../../generated/acm.ts'
import { pageOf, refuseOthers } from '../../parameters.ts'
import { readServerCertificate, type ServerCertificate } from '../../server-certificate.ts'
import type { AcmDeps } from '../deps.ts'
import { describeCertificate, summariseCertificate } from '../describe.ts'
import { badCertificate, noCertificate, paging, unsupported, validation } from '../errors.ts'
import { certificateRow, certificateRows, type CertificateRow, orderRow } from '../store.ts'
import { tagsAfter } from './tags.ts'

type Implemented = Pick<
  AcmOperations,
  'importCertificate' | 'describeCertificate' | 'getCertificate' | 'listCertificates' | 'deleteCertificate'
>

/** Of JavaScript's dates, in milliseconds. */
const LATEST = 8_640_000_000_000_000
/** AWS: 2,500 imported certificates. */
const CERTIFICATES_MAX = 2_500

export function makeCertificateOperations(deps: AcmDeps): Implemented {
  const { store, clock, cloud, domain } = deps
  return {
    importCertificate(context, input) {
      const members = ['CertificateArn', 'Certificate', 'PrivateKey', 'CertificateChain', 'Tags'] as const
      refuseOthers(input, members, unsupported)
      const text = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString('latin1')
      const given = {
        certificate: text(input.Certificate),
        chain: text(input.CertificateChain),
        privateKey: text(input.PrivateKey),
      }
      const { found, problem } = readServerCertificate(given, clock.now())
      if (problem) throw badCertificate(problem)
      if (input.CertificateArn) {
        if (input.Tags?.length) throw validation('Tagging is not permitted on re-import.')
        const row = requireCertificate(context, input.CertificateArn)
        if (orderRow(store, row.arn))
          throw validation(`Certificate ${row.arn} was issued here, and cannot be imported.`)
        store.update('acm_certificate', { arn: row.arn }, { ...found, importedAt: clock.now() })
        return { CertificateArn: row.arn }
      }
      return { CertificateArn: insertCertificate(deps, context, found, input.Tags).arn }
    },
    describeCertificate(context, input) {
      const row = requireCertificate(context, input.CertificateArn)
      const about = { order: orderRow(store, row.arn), domain, now: clock.now() }
      return { Certificate: describeCertificate(row, usesOf(context, row), about) }
    },
    getCertificate(context, input) {
      const { arn, certificate, chain } = requireCertificate(context, input.CertificateArn)
      if (certificate === '')
        throw new DeclaredError('RequestInProgressException', `Certificate ${arn} is not issued yet.`)
      return { Certificate: certificate, ...(chain === '' ? {} : { CertificateChain: chain }) }
    },
    // AWS leaves out all but RSA keys of up to 2048 bits unless the caller asks for others.
    listCertificates(context, input) {
      const known = [
        'CertificateStatuses',
        'Includes',
        'NextToken',
        'MaxItems',
        'SortBy',
        'SortOrder',
      ] as const
      refuseOthers(input, known, unsupported)
      const { CertificateStatuses: statuses = [], Includes = {} } = input
      refuseOthers(Includes, ['keyTypes'], unsupported)
      const types: string[] = Includes.keyTypes?.length ? Includes.keyTypes : ['RSA_2048']
      const used = cloud.elasticloadbalancingv2.certificatesInUse(context)
      const found = certificateRows(store, context)
        .map((row) => {
          const about = { order: orderRow(store, row.arn), now: clock.now() }
          return summariseCertificate(row, used.has(row.arn), about)
        })
        .filter(({ KeyAlgorithm = '' }) => types.includes(KeyAlgorithm))
        .filter(({ Status }) => statuses.length === 0 || statuses.includes(Status!))
      const keyOf = ({ CreatedAt, CertificateArn }: (typeof found)[number]) => {
        const at = CreatedAt!.getTime()
        return `${String(input.SortOrder === 'DESCENDING' ? LATEST - at : at).padStart(16, '0')} ${CertificateArn}`
      }
      const page = pageOf(found, keyOf, { token: input.NextToken, max: input.MaxItems }, paging)
      return { CertificateSummaryList: page.items, NextToken: page.next }
    },
    deleteCertificate(context, input) {
      const row = requireCertificate(context, input.CertificateArn)
      const uses = usesOf(context, row)
      if (uses.length > 0)
        throw new DeclaredError(
          'ResourceInUseException',
          `Certificate ${row.arn} in account ${row.account} is in use.`,
        )
      store.remove('acm_certificate', { arn: row.arn })
      return {}
    },
  }

  function requireCertificate(context: Context, arn: string | undefined): CertificateRow {
    const row = certificateRow(store, context, arn ?? '')
    if (row) return row
    if (!/^arn:aws:acm:[a-z0-9-]+:\d{12}:certificate\/[\w-]+$/.test(arn ?? ''))
      throw new DeclaredError('InvalidArnException', `The ARN ${arn} is not that of a certificate.`)
    throw noCertificate(arn!)
  }

  function usesOf(context: Context, { arn }: CertificateRow): string[] {
    return cloud.elasticloadbalancingv2.certificateUses(context, arn)
  }
}

/** Another one. `found`: with empty texts while it is not issued. */
export function insertCertificate(
  { store, clock, ids }: Pick<AcmDeps, 'store' | 'clock' | 'ids'>,
  context: Context,
  found: ServerCertificate,
  asked: Tag[] | undefined,
): CertificateRow {
  const tags = JSON.stringify(tagsAfter({}, asked))
  if (certificateRows(store, context).length >= CERTIFICATES_MAX)
    throw new DeclaredError(
      'LimitExceededException',
      `The maximum number of certificates (${CERTIFICATES_MAX}) has been reached.`,
    )
  const { account, region } = context
  const now = clock.now()
  const row: CertificateRow = {
    ...{ arn: `arn:aws:acm:${region}:${account}:certificate/${ids.uuid()}`, account, region },
    ...{ ...found, tags, createdAt: now, importedAt: now },
  }
  store.insert('acm_certificate', row)
  return row
}
