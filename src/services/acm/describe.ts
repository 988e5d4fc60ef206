// A certificate as acm describes it, read from itself.
import { X509Certificate } from 'node:crypto'
import type { CertificateDetail, CertificateSummary } from '@aws-sdk/client-acm'
import { commonNameOf, keyAlgorithmOf, namesOf } from '../server-certificate.ts'
import type { KeyAlgorithm } from '../../engines/authority/engine.ts'
import { validationRecord } from './names.ts'
import { type CertificateRow, namesOfOrder, type OrderRow } from './store.ts'

/** A certificate that was asked for and is not issued yet: its order is all that there is to say. `now` in milliseconds since 1970. */
function pendingOf(row: CertificateRow, order: OrderRow) {
  const names = namesOfOrder(order)
  return {
    names,
    common: {
      CertificateArn: row.arn,
      DomainName: names[0]!,
      Status:
        order.stage === 'timed out' ? ('VALIDATION_TIMED_OUT' as const) : ('PENDING_VALIDATION' as const),
      Type: 'AMAZON_ISSUED' as const,
      KeyAlgorithm: order.keyAlgorithm satisfies KeyAlgorithm,
      CreatedAt: new Date(row.createdAt),
      RenewalEligibility: 'INELIGIBLE' as const,
    },
  }
}

function issuedOf(row: CertificateRow, order: OrderRow | undefined, isInUse: boolean, now: number) {
  const certificate = new X509Certificate(row.certificate)
  const names = order ? namesOfOrder(order) : namesOf(certificate)
  const NotAfter = certificate.validToDate
  return {
    certificate,
    names,
    common: {
      CertificateArn: row.arn,
      DomainName: order ? namesOfOrder(order)[0]! : commonNameOf(certificate) || (names[0] ?? ''),
      Status: NotAfter.getTime() <= now ? ('EXPIRED' as const) : ('ISSUED' as const),
      Type: order ? ('AMAZON_ISSUED' as const) : ('IMPORTED' as const),
      KeyAlgorithm: keyAlgorithmOf(certificate.publicKey) as CertificateDetail['KeyAlgorithm'],
      CreatedAt: new Date(row.createdAt),
      ...(order ? { IssuedAt: new Date(row.importedAt) } : { ImportedAt: new Date(row.importedAt) }),
      NotBefore: certificate.validFromDate,
      NotAfter,
      RenewalEligibility: order && isInUse ? ('ELIGIBLE' as const) : ('INELIGIBLE' as const),
    },
  }
}

type About = { order: OrderRow | undefined; domain: string; now: number }

export function describeCertificate(
  row: CertificateRow,
  inUseBy: string[],
  { order, domain, now }: About,
): CertificateDetail {
  const asked = order ? { DomainValidationOptions: validationsOf(row, order, domain) } : {}
  if (order && row.certificate === '') {
    const { names, common } = pendingOf(row, order)
    return {
      ...{ ...common, ...asked, SubjectAlternativeNames: names, InUseBy: inUseBy },
    }
  }
  const { certificate, names, common } = issuedOf(row, order, inUseBy.length > 0, now)
  return {
    ...common,
    ...asked,
    ...(order && order.stage !== 'issued' ? { RenewalSummary: renewalOf(row, order, domain) } : {}),
    SubjectAlternativeNames: names,
    Subject: lineOf(certificate.subject),
    Issuer: lineOf(certificate.issuer),
    Serial: (certificate.serialNumber.toLowerCase().match(/../g) ?? []).join(':'),
    InUseBy: inUseBy,
    Options: { CertificateTransparencyLoggingPreference: order ? 'ENABLED' : 'DISABLED' },
  }
}

/** AWS shows at most 100 names. */
const NAMES_MAX = 100

export function summariseCertificate(
  row: CertificateRow,
  isInUse: boolean,
  { order, now }: Pick<About, 'order' | 'now'>,
): CertificateSummary {
  const { names, common } =
    order && row.certificate === '' ? pendingOf(row, order) : issuedOf(row, order, isInUse, now)
  return {
    ...common,
    SubjectAlternativeNameSummaries: names.slice(0, NAMES_MAX),
    HasAdditionalSubjectAlternativeNames: names.length > NAMES_MAX,
    InUse: isInUse,
  }
}

/** AWS's records of validation are CNAMEs that stay; here they lead to names of the home's own zone. */
function validationsOf(row: CertificateRow, order: OrderRow, domain: string) {
  const isShown = row.certificate !== ''
  return namesOfOrder(order).map((name) => {
    const record = validationRecord(row.account, domain, name)
    return {
      DomainName: name,
      ValidationDomain: name,
      ValidationStatus: isShown
        ? ('SUCCESS' as const)
        : order.stage === 'timed out'
          ? ('FAILED' as const)
          : ('PENDING_VALIDATION' as const),
      ...(order.method === 'DNS'
        ? { ResourceRecord: { Name: `${record.name}.`, Type: 'CNAME' as const, Value: `${record.target}.` } }
        : {}),
      ValidationMethod: order.method,
    }
  })
}

const renewalOf = (row: CertificateRow, order: OrderRow, domain: string) => ({
  RenewalStatus: order.failures > 0 ? ('PENDING_VALIDATION' as const) : ('PENDING_AUTO_RENEWAL' as const),
  DomainValidationOptions: validationsOf(row, order, domain),
  UpdatedAt: new Date(order.beganAt === 0 ? row.importedAt : order.beganAt),
})

/** `CN=a\nO=b` → `O=b,CN=a`, as RFC 4514 writes it. */
const lineOf = (name: string) => name.split('\n').toReversed().join(',')
