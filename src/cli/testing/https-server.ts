// A server that speaks TLS as another machine's would, for tests of what is fetched by https only.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { writeCertificate } from '../../kernel/test-certificate.ts'

/** `trust`: from then on this process believes its certificate, as if the machine's owner had said so. */
export async function startHttps(listener: RequestListener) {
  const folder = mkdtempSync(join(tmpdir(), 'polebean-https-'))
  const file = join(folder, 'both.pem')
  writeCertificate(file, 'localhost')
  const pem = readFileSync(file, 'utf8')
  rmSync(folder, { recursive: true })
  const server = createServer({ cert: pem, key: pem }, listener)
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return {
    url: `https://localhost:${(server.address() as AddressInfo).port}`,
    trust: () => setDefaultCACertificates([...getCACertificates('default'), pem]),
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}
