// Names with certificates on real engines: Pebble, Let's Encrypt's own test server, asks the balancer and the name server of the home,
// and clients trust what comes of it.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { connect, type PeerCertificate, type TLSSocket } from 'node:tls'
import { type Pebble, startPebble } from '../src/engines/acme/test-pebble.ts'
import { makeTestHome } from './support/home.ts'
import { writeProbeApp } from './support/probe-app.ts'
import { until } from './support/world.ts'

const ENV = 'shop'

describe('names with certificates', { concurrency: 1, timeout: 10 * 60_000 }, () => {
  const home = makeTestHome()
  let pebble: Pebble
  let zone = ''
  after(async () => {
    await pebble?.stop()
    assert.deepEqual(await home.remove(), [])
  })

  const ports = () => home.settings().ports
  const httpsPort = () => (ports().http === 80 ? 443 : ports().http + 363)
  /** What a TLS client is shown that asks for the name. */
  async function shown(servername: string): Promise<PeerCertificate> {
    const socket: TLSSocket = connect({
      ...{ host: '127.0.0.1', port: httpsPort(), servername, rejectUnauthorized: false },
    })
    await once(socket, 'secureConnect')
    const certificate = socket.getPeerCertificate()
    socket.destroy()
    return certificate
  }
  const set = (Name: string, Type: string, Value: string) => ({
    Action: 'UPSERT',
    ResourceRecordSet: { Name, Type, TTL: 5, ResourceRecords: [{ Value }] },
  })
  async function change(...Changes: object[]) {
    const batch = JSON.stringify({ Changes })
    await home.aws([
      ...['route53', 'change-resource-record-sets', '--hosted-zone-id', zone, '--change-batch', batch],
    ])
  }

  /** As `aws acm wait certificate-validated`, which looks once a minute. */
  const untilIssued = (arn: string) =>
    until(
      `${arn} is issued`,
      async () => {
        const { Certificate } = await home.aws(['acm', 'describe-certificate', '--certificate-arn', arn])
        return (Certificate as { Status: string }).Status === 'ISSUED'
      },
      60_000,
    )

  before(async () => {
    const folder = join(home.dir, '../probe-app')
    writeProbeApp(folder, 'v1')
    await home.polebean(['up', folder, '--name', ENV])
    const dns = `127.0.0.1:${ports().dns}`
    pebble = await startPebble({ httpPort: ports().http, dns })
    for (const [key, value] of [
      ['acme.directory', pebble.directory],
      ['acme.trust', pebble.trustFile],
      ['acme.resolver', dns],
    ])
      await home.polebean(['config', 'set', key!, value!])
    const { HostedZone } = await home.aws([
      ...['route53', 'create-hosted-zone', '--name', 'shop.example', '--caller-reference', 'one'],
    ])
    zone = (HostedZone as { Id: string }).Id
  })

  it('leads a name to its environment by HTTPS', async () => {
    await change(set('www.shop.example', 'CNAME', `${ENV}.us-west-2.elasticbeanstalk.localhost`))
    const { stdout } = await home.polebean(['domain', 'add', 'www.shop.example', ENV])
    const port = httpsPort() === 443 ? '' : `:${httpsPort()}`
    assert.equal(stdout.trim(), `https://www.shop.example${port}/`)
    const { subjectaltname, issuer } = await shown('www.shop.example')
    assert.equal(subjectaltname, 'DNS:www.shop.example')
    assert.match(String(issuer.CN), /Pebble/)
    const { status, headers } = await home.get('www.shop.example')
    assert.deepEqual([status, headers.location], [301, `https://www.shop.example:${httpsPort()}/`])
    // Who asks twice has it once.
    await home.polebean(['domain', 'add', 'www.shop.example', ENV])
    const [balancer] = (await home.aws(['elbv2', 'describe-load-balancers'])).LoadBalancers as {
      LoadBalancerArn: string
    }[]
    const { Listeners } = await home.aws([
      ...['elbv2', 'describe-listeners', '--load-balancer-arn', balancer!.LoadBalancerArn],
    ])
    const http = (Listeners as { Port: number; ListenerArn: string }[]).find(({ Port }) => Port === 80)!
    const { Rules } = await home.aws(['elbv2', 'describe-rules', '--listener-arn', http.ListenerArn])
    assert.equal((Rules as object[]).length, 2)
    // Others stay where they are.
    assert.equal((await home.get(`${ENV}.us-west-2.elasticbeanstalk.localhost`)).status, 200)
  })

  it('shows a name by HTTP, whose zone is elsewhere, beside the first certificate', async () => {
    // The zone is here for the authority to ask, and told away from where the home looks.
    await change(set('api.shop.example', 'A', '127.0.0.1'))
    const { CertificateArn } = await home.aws([
      ...['acm', 'request-certificate', '--domain-name', 'api.shop.example'],
      ...['--validation-method', 'HTTP', '--key-algorithm', 'EC_prime256v1'],
    ])
    const arn = CertificateArn as string
    await untilIssued(arn)
    const { Certificate } = await home.aws(['acm', 'describe-certificate', '--certificate-arn', arn])
    const { Status, DomainValidationOptions } = Certificate as {
      Status: string
      DomainValidationOptions: { ValidationMethod: string; ValidationStatus: string }[]
    }
    assert.equal(Status, 'ISSUED')
    assert.deepEqual(
      DomainValidationOptions.map((one) => `${one.ValidationMethod} ${one.ValidationStatus}`),
      ['HTTP SUCCESS'],
    )
    assert.match((await home.polebean(['domain', 'list'])).stdout, /^api\.shop\.example .* issued +20/m)
  })

  it('has a wildcard with its apex, as Terraform and the SDKs ask for it', async () => {
    const { CertificateArn } = await home.aws([
      ...['acm', 'request-certificate', '--domain-name', 'shop.example', '--validation-method', 'DNS'],
      ...['--subject-alternative-names', '*.shop.example'],
    ])
    const arn = CertificateArn as string
    const { Certificate } = await home.aws(['acm', 'describe-certificate', '--certificate-arn', arn])
    const [{ ResourceRecord }] = (
      Certificate as { DomainValidationOptions: [{ ResourceRecord: { Name: string; Value: string } }] }
    ).DomainValidationOptions
    await change(set(ResourceRecord.Name, 'CNAME', ResourceRecord.Value))
    await untilIssued(arn)
    const { Certificate: pem } = await home.aws(['acm', 'get-certificate', '--certificate-arn', arn])
    writeFileSync(join(home.dir, '../wild.pem'), pem as string)
    const { stdout } = await home.client([
      ...['openssl', 'x509', '-noout', '-ext', 'subjectAltName', '-in', join(home.dir, '../wild.pem')],
    ])
    assert.match(stdout, /DNS:shop\.example, DNS:\*\.shop\.example/)
  })

  it('says what has to be done, and orders nothing, while a name leads elsewhere', async () => {
    const { stderr } = await home.polebean(['domain', 'add', 'www.elsewhere.example', ENV, '--wait', '2'], {
      status: 4,
    })
    assert.match(
      stderr,
      /www\.elsewhere\.example is no name yet\. What leads it here:\n +www\.elsewhere\.example\. A 127\.0\.0\.1/,
    )
    assert.match(
      stderr,
      /there is no certificate yet: www\.elsewhere\.example (cannot be resolved|has no address)/,
    )
  })

  it('renews under requests by HTTPS, and none fails', async () => {
    const before = (await shown('www.shop.example')).serialNumber
    const [{ arn } = { arn: '' }] = JSON.parse(
      (await home.polebean(['domain', 'list', '--json'])).stdout,
    ).filter((one: { name: string }) => one.name === 'www.shop.example') as { arn: string }[]
    const agent = new Agent({ keepAlive: true, maxSockets: 4 })
    const statuses: number[] = []
    let isOver = false
    const ask = () =>
      new Promise<number>((resolve) => {
        const where = { host: '127.0.0.1', port: httpsPort(), servername: 'www.shop.example', agent }
        const call = request(
          { ...where, headers: { host: 'www.shop.example' }, rejectUnauthorized: false },
          (response) => response.resume().on('close', () => resolve(response.statusCode ?? 0)),
        )
        call.on('error', () => resolve(0))
        call.end()
      })
    const clients = Array.from({ length: 4 }, async () => {
      while (!isOver) statuses.push(await ask())
    })
    await home.aws(['acm', 'renew-certificate', '--certificate-arn', arn])
    await until(
      'it is renewed',
      async () => (await shown('www.shop.example')).serialNumber !== before,
      120_000,
    ).catch(async (error: Error) => {
      const { stdout } = await home.polebean(['domain', 'list', '--json'])
      throw new Error(`${error.message}; ${stdout}`, { cause: error })
    })
    isOver = true
    await Promise.all(clients)
    agent.destroy()
    assert.deepEqual([...new Set(statuses)], [200])
    assert.ok(statuses.length > 100, `${statuses.length} requests`)
  })

  it("vouches for names below .localhost itself, to who trusts the home's authority", async () => {
    const { stdout } = await home.polebean(['domain', 'add', 'shop.localhost', ENV])
    const url = stdout.trim()
    const file = join(home.dir, '../ca.pem')
    writeFileSync(file, (await home.polebean(['ca'])).stdout)
    assert.match(readFileSync(file, 'utf8'), /^-----BEGIN CERTIFICATE-----/)
    const curl = (...args: string[]) => home.client(['curl', '-sS', '-w', ' %{http_code}', ...args, url])
    const trusting = await curl('--cacert', file)
    assert.equal(trusting.status, 0, trusting.stderr)
    assert.match(trusting.stdout, /^v1.* 200$/s)
    assert.notEqual((await curl()).status, 0)
  })

  it('takes a name away again, with its certificate', async () => {
    await home.polebean(['domain', 'remove', 'shop.localhost', ENV])
    await until('nobody has the name', async () => (await home.get('shop.localhost')).status === 404)
    assert.doesNotMatch((await home.polebean(['domain', 'list'])).stdout, /shop\.localhost/)
    await home.polebean(['domain', 'remove', 'www.shop.example', ENV])
    await until('HTTPS is gone with its last certificate', () =>
      shown('www.shop.example').then(
        () => false,
        () => true,
      ),
    )
    // Its record leads here still.
    assert.equal((await home.get('www.shop.example')).status, 200)
  })

  it('leads a name there again that was taken away', async () => {
    await home.polebean(['domain', 'add', 'www.shop.example', ENV])
    assert.equal((await shown('www.shop.example')).subjectaltname, 'DNS:www.shop.example')
  })
})
