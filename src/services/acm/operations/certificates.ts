import { X509Certificate } from 'node:crypto'
import { DeclaredError } from '../../../kernel/errors.ts'
import type { Context } from '../../context.ts'
import type { AcmOperations } from '../../generated/acm.ts'
import { pageOf, refuseOthers } from '../../parameters.ts'
import { keyAlgorithmOf, readServerCertificate } from '../../server-certificate.ts'
import type { ServiceDeps } from '../../service.ts'
import { describeCertificate, summariseCertificate } from '../describe.ts'
import { badCertificate, noCertificate, paging, unsupported, validation } from '../errors.ts'
import { certificateRow, certificateRows, type CertificateRow } from '../store.ts'
import { tagsAfter } from './tags.ts'

type Implemented = Pick<
  AcmOperations,
  'importCertificate' | 'describeCertificate' | 'getCertificate' | 'listCertificates' | 'deleteCertificate'
>

/** Of JavaScript's dates, in milliseconds. */
const LATEST = 8_640_000_000_000_000
/** AWS: 2,500 imported certificates. */
const CERTIFICATES_MAX = 2_500

export type AcmDeps = Pick<ServiceDeps, 'store' | 'clock' | 'ids' | 'cloud'>

export function makeCertificateOperations(deps: AcmDeps): Implemented {
  const { store, clock, ids, cloud } = deps
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
        store.update('acm_certificate', { arn: row.arn }, { ...found, importedAt: clock.now() })
        return { CertificateArn: row.arn }
      }
      const tags = JSON.stringify(tagsAfter({}, input.Tags))
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
      return { CertificateArn: row.arn }
    },
    describeCertificate(context, input) {
      const row = requireCertificate(context, input.CertificateArn)
      return { Certificate: describeCertificate(row, usesOf(context, row), clock.now()) }
    },
    getCertificate(context, input) {
      const { certificate, chain } = requireCertificate(context, input.CertificateArn)
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
        .filter((row) => types.includes(keyAlgorithmOf(new X509Certificate(row.certificate).publicKey) ?? ''))
        .map((row) => summariseCertificate(row, used.has(row.arn), clock.now()))
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
