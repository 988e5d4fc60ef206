import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { systemClock } from '../../kernel/clock.ts'
import { makeCertificate, type TestCertificate } from '../../kernel/test-certificate.ts'
import { parsed } from '../../engines/balancer/certificates.ts'
import { makeServicesWorld, type ServicesWorld } from '../testing/services-world.ts'

let world: ServicesWorld
beforeEach(() => {
  world = makeServicesWorld()
  // The certificates are of today, the virtual clock begins in the past.
  world.clock.setWall(systemClock.now() + 1_000 - world.clock.now())
})
afterEach(() => world.end())

const first = makeCertificate(['shop.example.com', '*.shop.example.com'])
const second = makeCertificate(['other.example.com'])
const bytes = (text: string) => new Uint8Array(Buffer.from(text))
const acm = () => world.acm
const imported = ({ certificate, key }: TestCertificate, more: object = {}) =>
  acm().importCertificate(world.context, {
    Certificate: bytes(certificate),
    PrivateKey: bytes(key),
    ...more,
  }).CertificateArn!

describe('acm', () => {
  it('describes what was imported, and gives back all but the key', () => {
    const arn = imported(first, { Tags: [{ Key: 'team', Value: 'web' }] })
    assert.match(arn, /^arn:aws:acm:us-west-2:000000000000:certificate\/[0-9a-f-]{36}$/)
    const { Certificate } = acm().describeCertificate(world.context, { CertificateArn: arn })
    const { DomainName, SubjectAlternativeNames, Status, Type, KeyAlgorithm, InUseBy } = Certificate!
    assert.deepEqual(
      { DomainName, SubjectAlternativeNames, Status, Type, KeyAlgorithm, InUseBy },
      {
        ...{ DomainName: 'shop.example.com', Status: 'ISSUED', Type: 'IMPORTED', InUseBy: [] },
        SubjectAlternativeNames: ['shop.example.com', '*.shop.example.com'],
        KeyAlgorithm: 'EC_prime256v1',
      },
    )
    assert.match(Certificate!.Serial!, /^([0-9a-f]{2}:)+[0-9a-f]{2}$/)
    const got = acm().getCertificate(world.context, { CertificateArn: arn })
    assert.equal(got.Certificate!.trim(), first.certificate.trim())
    assert.equal(got.CertificateChain, undefined)
    assert.ok(!JSON.stringify([got, Certificate]).includes('PRIVATE KEY'))
    assert.deepEqual(acm().listTagsForCertificate(world.context, { CertificateArn: arn }).Tags, [
      { Key: 'team', Value: 'web' },
    ])
  })

  it('lists the kinds of keys that it is asked for, page by page', () => {
    const arns = [imported(first), imported(second)]
    const list = (input: object = {}) => acm().listCertificates(world.context, input)
    assert.deepEqual(list().CertificateSummaryList, [], 'AWS leaves out keys on curves')
    const Includes = { keyTypes: ['EC_prime256v1' as const] }
    const page = list({ Includes, MaxItems: 1 })
    const rest = list({ Includes, NextToken: page.NextToken })
    const found = [...page.CertificateSummaryList!, ...rest.CertificateSummaryList!]
    assert.deepEqual(found.map((one) => one.CertificateArn).sort(), arns.toSorted())
    assert.deepEqual(list({ Includes, CertificateStatuses: ['EXPIRED'] }).CertificateSummaryList, [])
    const down = list({ Includes, SortBy: 'CREATED_AT', SortOrder: 'DESCENDING' }).CertificateSummaryList!
    assert.equal(down.length, 2)
  })

  it('takes another certificate under the same ARN', () => {
    const arn = imported(first)
    assert.equal(imported(second, { CertificateArn: arn }), arn)
    const { Certificate } = acm().describeCertificate(world.context, { CertificateArn: arn })
    assert.equal(Certificate!.DomainName, 'other.example.com')
    assert.throws(() => imported(second, { CertificateArn: arn, Tags: [{ Key: 'a' }] }), {
      message: 'Tagging is not permitted on re-import.',
    })
  })

  const expired = makeCertificate(['old.example.com'], 1)
  const weak = (...algorithm: string[]) => {
    const { certificate, key } = makeCertificate(['weak.example.com'], 30, algorithm)
    return { Certificate: bytes(certificate), PrivateKey: bytes(key) }
  }
  const bad: [what: string, input: () => object, message: RegExp][] = [
    ['text', () => ({ Certificate: bytes('hello') }), /no certificate in PEM/],
    [
      'two certificates',
      () => ({ Certificate: bytes(first.certificate + second.certificate) }),
      /more than one/,
    ],
    ['the key of another one', () => ({ PrivateKey: bytes(second.key) }), /does not match/],
    [
      'a key that is none',
      () => ({ PrivateKey: bytes('-----BEGIN PRIVATE KEY-----') }),
      /not valid. It must be in PEM/,
    ],
    [
      'a key with a password',
      () => ({ PrivateKey: bytes('-----BEGIN ENCRYPTED PRIVATE KEY-----') }),
      /is encrypted/,
    ],
    [
      'a chain that is not its own',
      () => ({ CertificateChain: bytes(second.certificate) }),
      /with the certificate chain/,
    ],
    ['a key that OpenSSL shows nobody', () => weak('-newkey', 'rsa:1024'), /private key is not supported/],
    ['a signature of SHA-1', () => weak('-newkey', 'rsa:2048', '-sha1'), /MD5 or SHA-1/],
    ['a chain that is none', () => ({ CertificateChain: bytes('x') }), /certificate chain contains/],
  ]
  for (const [what, input, message] of bad)
    it(`refuses ${what}`, () => {
      assert.throws(() => imported(first, input()), { code: 'ValidationException', message })
    })

  it('refuses one that has expired, and says so of one that expires here', () => {
    const CertificateArn = imported(expired)
    world.clock.setWall(2 * 86_400_000)
    assert.throws(() => imported(expired), /has expired/)
    const { Certificate } = acm().describeCertificate(world.context, { CertificateArn })
    assert.equal(Certificate!.Status, 'EXPIRED')
  })

  it('knows no other ARN, and what is none', () => {
    const describe = (CertificateArn: string) => acm().describeCertificate(world.context, { CertificateArn })
    assert.throws(() => describe('arn:aws:acm:us-west-2:000000000000:certificate/x'), {
      code: 'ResourceNotFoundException',
    })
    assert.throws(() => describe('shop'), { code: 'InvalidArnException' })
  })
})

describe('an HTTPS listener', () => {
  const elb = () => world.elasticloadbalancingv2
  const listening = (more: object = {}) => {
    const subnets = world.ec2.describeSubnets(world.context, {}).Subnets!.map((one) => one.SubnetId!)
    const [balancer] = elb().createLoadBalancer(world.context, {
      Name: 'web',
      Subnets: subnets,
    }).LoadBalancers!
    const listener = elb().createListener(world.context, {
      LoadBalancerArn: balancer!.LoadBalancerArn,
      ...{ Protocol: 'HTTPS', Port: 443 },
      DefaultActions: [{ Type: 'fixed-response', FixedResponseConfig: { StatusCode: '200' } }],
      ...more,
    }).Listeners![0]!
    world.ec2.authorizeSecurityGroupIngress(world.context, {
      GroupName: 'default',
      ...{ IpProtocol: 'tcp', FromPort: 443, ToPort: 443, CidrIp: '127.0.0.0/8' },
    })
    return { ...listener, host: balancer!.DNSName! }
  }
  const shown = (host: string) => {
    const { certificateId } = world.balancer.request({ host, tls: true })
    const pem = world.balancer.model().certificates!.find(({ id }) => id === certificateId)!.pem
    return parsed(pem)!.subject
  }

  it('shows its certificate, anew when that is imported anew, and keeps it from being deleted', async () => {
    const CertificateArn = imported(first)
    const { host, ListenerArn, ...rest } = listening({ Certificates: [{ CertificateArn }] })
    assert.deepEqual(
      [rest.Protocol, rest.SslPolicy, rest.Certificates],
      ['HTTPS', 'ELBSecurityPolicy-2016-08', [{ CertificateArn }]],
    )
    await world.clock.run(2_000)
    assert.equal(shown(host), 'CN=shop.example.com')
    imported(second, { CertificateArn })
    await world.clock.run(2_000)
    assert.equal(shown(host), 'CN=other.example.com')
    const remove = () => acm().deleteCertificate(world.context, { CertificateArn })
    assert.throws(remove, { code: 'ResourceInUseException' })
    const { Certificate } = acm().describeCertificate(world.context, { CertificateArn })
    assert.equal(Certificate!.InUseBy?.length, 1)
    elb().deleteListener(world.context, { ListenerArn })
    remove()
    await world.clock.run(2_000)
    assert.deepEqual(world.balancer.model().certificates, [])
  })

  it('has further certificates, of which the default one stays', () => {
    const [own, other] = [imported(first), imported(second)]
    const { ListenerArn } = listening({ Certificates: [{ CertificateArn: own }] })
    const add = (CertificateArn: string) =>
      elb().addListenerCertificates(world.context, { ListenerArn, Certificates: [{ CertificateArn }] })
    add(other)
    const all = () =>
      elb()
        .describeListenerCertificates(world.context, { ListenerArn })
        .Certificates!.map(({ CertificateArn, IsDefault }) => `${CertificateArn === own} ${IsDefault}`)
    assert.deepEqual(all().sort(), ['false false', 'true true'])
    const remove = (CertificateArn: string) =>
      elb().removeListenerCertificates(world.context, { ListenerArn, Certificates: [{ CertificateArn }] })
    assert.throws(() => remove(own), { code: 'OperationNotPermitted' })
    remove(other)
    assert.deepEqual(all(), ['true true'])
    assert.throws(() => add('arn:aws:acm:us-west-2:000000000000:certificate/x'), {
      code: 'CertificateNotFound',
    })
  })

  it('becomes one of HTTP and one of HTTPS again', async () => {
    const CertificateArn = imported(first)
    const { ListenerArn, host } = listening({ Certificates: [{ CertificateArn }] })
    const modify = (more: object) =>
      elb().modifyListener(world.context, { ListenerArn, ...more }).Listeners![0]!
    assert.deepEqual(modify({ Protocol: 'HTTP' }).Certificates, undefined)
    await world.clock.run(2_000)
    assert.equal(world.balancer.request({ host, listenerPort: 443 }).status, 200)
    assert.throws(() => modify({ Protocol: 'HTTPS' }), { message: /certificate must be specified/ })
    modify({
      Protocol: 'HTTPS',
      Certificates: [{ CertificateArn }],
      SslPolicy: 'ELBSecurityPolicy-TLS13-1-3-2021-06',
    })
    await world.clock.run(2_000)
    assert.deepEqual(world.balancer.model().loadBalancers[0]!.listeners[0]!.tls, {
      ...{ certificateIds: [CertificateArn], minVersion: '1.3', maxVersion: '1.3', http2: true },
    })
  })

  const refused: [more: object, error: object][] = [
    [{}, { message: 'A certificate must be specified for HTTPS listeners' }],
    [{ Certificates: [{ CertificateArn: 'arn:aws:acm:x' }] }, { code: 'CertificateNotFound' }],
    [{ Certificates: [{}, {}] }, { message: /Up to one certificate/ }],
    [{ SslPolicy: 'ELBSecurityPolicy-1' }, { code: 'SSLPolicyNotFound' }],
    [
      { Protocol: 'HTTP', SslPolicy: 'ELBSecurityPolicy-2016-08' },
      { message: /cannot be specified for HTTP/ },
    ],
    [{ Protocol: 'TLS' }, { code: 'UnsupportedProtocol' }],
  ]
  for (const [more, error] of refused)
    it(`is refused with ${JSON.stringify(more)}`, () => {
      assert.throws(() => listening(more), error)
    })
})
