// The file with certificate and private key for the API's name: read, and whether it can be used.
import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { EngineError, reasonOf } from '../../kernel/errors.ts'

export type Certificate = {
  /** Certificates and key as they are in the file. */
  pem: string
  /** Epoch milliseconds. */
  endsAt: number
}

const BYTES_MAX = 1 << 20

/** Throws an EngineError, a sentence, when it is not one for `name` with its key. One that has ended is answered, too. */
export function readCertificate(path: string, name: string): Certificate {
  const pem = readPem(path)
  const [first] = /-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/.exec(pem) ?? []
  if (first === undefined) throw new EngineError(`${path} has no certificate in PEM`)
  const certificate = parsed(path, 'certificate', () => new X509Certificate(first))
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem))
    throw new EngineError(
      `${path} has no private key; put it behind the certificates: cat fullchain.pem privkey.pem`,
    )
  const key: KeyObject = parsed(path, 'private key', () => createPrivateKey(pem))
  if (!certificate.checkPrivateKey(key))
    throw new EngineError(`the private key in ${path} is not that of its first certificate`)
  if (certificate.checkHost(name) === undefined)
    throw new EngineError(
      `the certificate in ${path} is not for ${name}, but for ${certificate.subjectAltName ?? certificate.subject}`,
    )
  return { pem, endsAt: Date.parse(certificate.validTo) }
}

function readPem(path: string): string {
  try {
    const { size } = statSync(path)
    if (size > BYTES_MAX) throw new EngineError(`it has more than ${BYTES_MAX} bytes`)
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new EngineError(`the certificate ${path} cannot be read: ${reasonOf(cause)}`, { cause })
  }
}

function parsed<T>(path: string, what: string, parse: () => T): T {
  try {
    return parse()
  } catch (cause) {
    throw new EngineError(`the ${what} in ${path} cannot be read: ${reasonOf(cause)}`, { cause })
  }
}
