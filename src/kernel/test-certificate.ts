// Certificates for tests, made by openssl: each vouches for itself, so a client trusts the file.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export type TestCertificate = { certificate: string; key: string }

/** For the first of `names` and the others, good for `days` (negative: it has ended). */
export function makeCertificate(names: string[], days = 30): TestCertificate {
  const folder = mkdtempSync(join(tmpdir(), 'certificate-'))
  const [key, certificate] = [join(folder, 'key'), join(folder, 'crt')]
  const args = [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
    ...['-subj', `/CN=${names[0]}`, '-addext', `subjectAltName=${names.map((name) => `DNS:${name}`).join()}`],
    ...['-days', String(days), '-keyout', key, '-out', certificate],
  ]
  try {
    const { status, stderr } = spawnSync('openssl', args, { encoding: 'utf8' })
    if (status !== 0) throw new Error(`openssl ${args.join(' ')}: ${stderr}`)
    return { certificate: readFileSync(certificate, 'utf8'), key: readFileSync(key, 'utf8') }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Writes certificate and key for `name` to `path`, good for `days`. */
export function writeCertificate(path: string, name: string, days = 30): void {
  const { certificate, key } = makeCertificate([name], days)
  writeFileSync(path, `${certificate}${key}`, { mode: 0o600 })
}
