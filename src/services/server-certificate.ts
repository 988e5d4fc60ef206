// Certificates with their keys, as acm imports and iam uploads them: checked and brought into one spelling. Pure.
import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto'
import type { Cloud } from './cloud.ts'
import type { Context } from './context.ts'

export type ServerCertificate = {
  /** PEM each; the chain may be empty. */
  certificate: string
  chain: string
  privateKey: string
}

/** What is wrong, for the service to put into its words. */
export type CertificateProblem =
  | 'no certificate'
  | 'several certificates'
  | 'no chain'
  | 'broken chain'
  | 'no key'
  | 'encrypted key'
  | 'unsupported key'
  | 'another key'
  | 'weak signature'
  | 'too long'
  | 'not valid yet'
  | 'expired'

/** `now` in milliseconds since 1970. */
export function readServerCertificate(
  given: ServerCertificate,
  now: number,
): { found: ServerCertificate; problem?: undefined } | { found?: undefined; problem: CertificateProblem } {
  const own = certificatesIn(given.certificate)
  if (!own || own.length === 0) return { problem: 'no certificate' }
  if (own.length > 1) return { problem: 'several certificates' }
  const certificate = own[0]!
  const chain = given.chain.trim() === '' ? [] : certificatesIn(given.chain)
  if (!chain || (chain.length === 0 && given.chain.trim() !== '')) return { problem: 'no chain' }
  const all = [certificate, ...chain]
  if (all.slice(0, -1).some((one, index) => !one.checkIssued(all[index + 1]!)))
    return { problem: 'broken chain' }
  const key = keyIn(given.privateKey)
  if (typeof key === 'string') return { problem: key }
  if (keyAlgorithmOf(key) === undefined) return { problem: 'unsupported key' }
  if (all.some((one) => keyAlgorithmOf(one.publicKey) === undefined)) return { problem: 'unsupported key' }
  if (!certificate.checkPrivateKey(key)) return { problem: 'another key' }
  if (all.some((one) => WEAK.test(one.signatureAlgorithm ?? ''))) return { problem: 'weak signature' }
  if (certificate.validFromDate.getTime() > now) return { problem: 'not valid yet' }
  if (certificate.validToDate.getTime() <= now) return { problem: 'expired' }
  const found = {
    certificate: pemOf(certificate),
    chain: chain.map(pemOf).join(''),
    privateKey: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
  return joinedPem(found).length > PEM_MAX ? { problem: 'too long' } : { found }
}

/** OpenSSL does not show them to anybody at the security level that Debian gives it, nor keys of RSA below 2048 bits. */
const WEAK = /md5|sha-?1\b|sha1With/i
/** HAProxy takes a certificate over its socket in one buffer of 16 KiB. */
const PEM_MAX = 15_000

/** One file, as load balancers take it. */
export const joinedPem = ({ certificate, chain, privateKey }: ServerCertificate): string =>
  `${privateKey}${certificate}${chain}`

/** Of acm or iam, by its ARN; undefined for one that neither has. */
export const certificatePem = (
  { acm, iam }: { acm: Pick<Cloud['acm'], 'certificatePem'>; iam: Cloud['iam'] },
  context: Context,
  arn: string,
): string | undefined => (arn.startsWith('arn:aws:iam:') ? iam : acm).certificatePem(context, arn)

const PEM = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g
const CERTIFICATES_MAX = 10

function certificatesIn(text: string): X509Certificate[] | undefined {
  const blocks = text.match(PEM) ?? []
  if (blocks.length > CERTIFICATES_MAX || text.replaceAll(PEM, '').trim() !== '') return undefined
  try {
    return blocks.map((block) => new X509Certificate(block))
  } catch {
    return undefined
  }
}

function keyIn(text: string): KeyObject | 'no key' | 'encrypted key' {
  if (/ENCRYPTED/.test(text)) return 'encrypted key'
  try {
    return createPrivateKey(text)
  } catch {
    return 'no key'
  }
}

const pemOf = (certificate: X509Certificate) => `${certificate.toString().trim()}\n`

const CURVES: Record<string, string> = {
  prime256v1: 'EC_prime256v1',
  secp384r1: 'EC_secp384r1',
  secp521r1: 'EC_secp521r1',
}

/** In ACM's words: `RSA_2048`, `EC_prime256v1`; undefined for one that AWS does not take. */
export function keyAlgorithmOf(key: KeyObject): string | undefined {
  const { modulusLength = 0, namedCurve = '' } = key.asymmetricKeyDetails ?? {}
  if (key.asymmetricKeyType === 'rsa')
    return [2048, 3072, 4096].includes(modulusLength) ? `RSA_${modulusLength}` : undefined
  return key.asymmetricKeyType === 'ec' ? CURVES[namedCurve] : undefined
}

/** The names that a certificate is for. */
export const namesOf = ({ subjectAltName = '' }: X509Certificate): string[] =>
  [...subjectAltName.matchAll(/DNS:([^,\s"]+)/g)].map(([, name]) => name!)

/** Its common name; '' when it has none. */
export const commonNameOf = ({ subject }: X509Certificate): string => /^CN=(.*)$/m.exec(subject)?.[1] ?? ''
