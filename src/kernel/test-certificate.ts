// Certificates for tests, made by openssl: each vouches for itself, so a client trusts the file.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export type TestCertificate = { certificate: string; key: string }

/** For the first of `names` and the others, good for `days`. `algorithm`: arguments of `openssl req`. */
export function makeCertificate(names: string[], days = 30, algorithm = CURVE): TestCertificate {
  const folder = mkdtempSync(join(tmpdir(), 'certificate-'))
  const [key, certificate] = [join(folder, 'key'), join(folder, 'crt')]
  const args = [
    ...['req', '-x509', ...algorithm, '-nodes'],
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

const CURVE = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1']

/** Writes certificate and key for `name` to `path`, good for `days`. */
export function writeCertificate(path: string, name: string, days = 30): void {
  const { certificate, key } = makeCertificate([name], days)
  writeFileSync(path, `${certificate}${key}`, { mode: 0o600 })
}

/** Of shop.example.com, good from 2020 to 2120: for clocks that are not the machine's. */
export const LONG_LIVED: TestCertificate = {
  certificate: `-----BEGIN CERTIFICATE-----
MIIBRTCB7KADAgECAgEBMAoGCCqGSM49BAMCMBsxGTAXBgNVBAMMEHNob3AuZXhh
bXBsZS5jb20wIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMBsxGTAX
BgNVBAMMEHNob3AuZXhhbXBsZS5jb20wWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC
AASJvOEWBM3229vPn8NSFMk2wC91/JaGLxPig1fdWPGJj5qodqglzjzdUIg12jmy
HOOs8R3UfEKlwuEaDoZ0p9adox8wHTAbBgNVHREEFDASghBzaG9wLmV4YW1wbGUu
Y29tMAoGCCqGSM49BAMCA0gAMEUCIA5Bl6yij0Cv9iNAucJJNHBDZ2jUAqqnJxP5
61VpYWYVAiEAu6foOz0a9FShS0DYPaBTo8wHWhUxKKk1uC7i5Y74sKA=
-----END CERTIFICATE-----
`,
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg9We6Ps5QmU2rXUps
qnrAwnpL4xmXlqwNm2qa0Q9sgFGhRANCAASJvOEWBM3229vPn8NSFMk2wC91/JaG
LxPig1fdWPGJj5qodqglzjzdUIg12jmyHOOs8R3UfEKlwuEaDoZ0p9ad
-----END PRIVATE KEY-----
`,
}
