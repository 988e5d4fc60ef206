// Errors of acm, worded as AWS words them.
import { DeclaredError } from '../../kernel/errors.ts'
import type { Paging } from '../parameters.ts'
import type { CertificateProblem } from '../server-certificate.ts'

export const validation = (message: string) => new DeclaredError('ValidationException', message)

/** Refuses what Polebean does not do (design §2.12). */
export const unsupported = (member: string) =>
  new DeclaredError('InvalidParameterException', `${member} is not supported by Polebean.`)

export const noCertificate = (arn: string) =>
  new DeclaredError('ResourceNotFoundException', `Could not find certificate ${arn}.`)

const PROBLEMS: Record<CertificateProblem, string> = {
  'no certificate': 'The certificate field contains no certificate in PEM format.',
  'several certificates':
    'The certificate field contains more than one certificate. You can specify only one certificate in this field.',
  'no chain': 'The certificate chain contains something that is no certificate in PEM format.',
  'broken chain': 'Could not validate the certificate with the certificate chain.',
  'no key': 'The private key is not valid. It must be in PEM format.',
  'encrypted key': 'The private key is encrypted. You must specify a private key that is not encrypted.',
  'unsupported key':
    'The private key is not supported: it is RSA with 2048 to 4096 bits or EC on P-256, P-384 or P-521.',
  'another key': 'The private key does not match the certificate.',
  'weak signature':
    'The certificate or its chain is signed with MD5 or SHA-1, which clients do not accept any more.',
  'too long': 'The certificate, its chain and its key are longer than 15,000 characters together.',
  'not valid yet': 'The certificate is not valid yet.',
  expired: 'The certificate has expired.',
}

export const badCertificate = (problem: CertificateProblem) => validation(PROBLEMS[problem])

/** `MaxItems`: 1 to 1000. */
export const paging: Paging = {
  fallback: 1_000,
  least: 1,
  most: 1_000,
  badSize: (size) =>
    validation(
      `1 validation error detected: Value '${size}' at 'maxItems' failed to satisfy constraint: Member must be between 1 and 1000`,
    ),
  badToken: () => validation('The next token is not valid.'),
}
