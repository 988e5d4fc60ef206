// A certificate as acm describes it, read from itself.
import { X509Certificate } from 'node:crypto'
import type { CertificateDetail, CertificateSummary } from '@aws-sdk/client-acm'
import { commonNameOf, keyAlgorithmOf, namesOf } from '../server-certificate.ts'
import type { CertificateRow } from './store.ts'

/** `now` in milliseconds since 1970. */
function factsOf(row: CertificateRow, now: number) {
  const certificate = new X509Certificate(row.certificate)
  const names = namesOf(certificate)
  const NotAfter = certificate.validToDate
  return {
    certificate,
    names,
    common: {
      CertificateArn: row.arn,
      DomainName: commonNameOf(certificate) || (names[0] ?? ''),
      Status: NotAfter.getTime() <= now ? ('EXPIRED' as const) : ('ISSUED' as const),
      Type: 'IMPORTED' as const,
      KeyAlgorithm: keyAlgorithmOf(certificate.publicKey) as CertificateDetail['KeyAlgorithm'],
      CreatedAt: new Date(row.createdAt),
      ImportedAt: new Date(row.importedAt),
      NotBefore: certificate.validFromDate,
      NotAfter,
      RenewalEligibility: 'INELIGIBLE' as const,
    },
  }
}

export function describeCertificate(row: CertificateRow, inUseBy: string[], now: number): CertificateDetail {
  const { certificate, names, common } = factsOf(row, now)
  return {
    ...common,
    SubjectAlternativeNames: names,
    Subject: lineOf(certificate.subject),
    Issuer: lineOf(certificate.issuer),
    Serial: (certificate.serialNumber.toLowerCase().match(/../g) ?? []).join(':'),
    InUseBy: inUseBy,
    Options: { CertificateTransparencyLoggingPreference: 'DISABLED' },
  }
}

/** AWS shows at most 100 names. */
const NAMES_MAX = 100

export function summariseCertificate(row: CertificateRow, isInUse: boolean, now: number): CertificateSummary {
  const { names, common } = factsOf(row, now)
  return {
    ...common,
    SubjectAlternativeNameSummaries: names.slice(0, NAMES_MAX),
    HasAdditionalSubjectAlternativeNames: names.length > NAMES_MAX,
    InUse: isInUse,
  }
}

/** `CN=a\nO=b` → `O=b,CN=a`, as RFC 4514 writes it. */
const lineOf = (name: string) => name.split('\n').toReversed().join(',')
