// `ca`: the certificate of the home's own authority, which vouches for names below .localhost.
import { X509Certificate } from 'node:crypto'
import { note, print, printJson } from '../output.ts'
import { openApiHere } from '../remote-api.ts'

export async function ca(homeDir: string, { json }: { json?: boolean }): Promise<void> {
  const pem = await openApiHere(homeDir).get('/polebean/authority')
  const { fingerprint256: fingerprint, subject, validTo: until } = new X509Certificate(pem)
  if (json) return printJson({ certificate: pem, subject, fingerprint, until: new Date(until) })
  print(pem.trim())
  if (!process.stdout.isTTY) return
  note(`
${subject}, SHA-256 ${fingerprint}
It vouches for names below .localhost alone. To trust it:
  polebean ca | sudo tee /usr/local/share/ca-certificates/polebean.crt; sudo update-ca-certificates   (curl, wget, Python, Go)
  Firefox and Chromium: settings, certificates, authorities, import
  for one call: curl --cacert FILE, or the variable NODE_EXTRA_CA_CERTS of Node`)
}
