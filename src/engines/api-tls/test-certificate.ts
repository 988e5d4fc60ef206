// Certificates for tests, made by openssl: each vouches for itself, so a client trusts the file.
import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'

/** Writes certificate and key for `name` to `path`, good for `days`. */
export function writeCertificate(path: string, name: string, days = 30): void {
  const [key, certificate] = [`${path}.key`, `${path}.crt`]
  const args = [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
    ...['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`, '-days', String(days)],
    ...['-keyout', key, '-out', certificate],
  ]
  const { status, stderr } = spawnSync('openssl', args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`openssl ${args.join(' ')}: ${stderr}`)
  writeFileSync(path, `${readFileSync(certificate, 'utf8')}${readFileSync(key, 'utf8')}`, { mode: 0o600 })
  for (const file of [key, certificate]) rmSync(file)
}
