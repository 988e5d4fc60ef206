import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { type Challenge, challengeName, challengePath } from '../../engines/acme/engine.ts'
import { seededRandom } from '../../kernel/random.ts'
import { makeServicesWorld, type ServicesWorld } from '../testing/services-world.ts'
import { makeCalls, put, set } from '../route53/test-calls.ts'

const DIRECTORY = 'https://acme.test/dir'
const STAGING = 'https://staging.test/dir'
const MINUTE = 60_000

let world: ServicesWorld
/** Who answers challenges wrongly. */
let isBroken = false
beforeEach(() => {
  world = makeServicesWorld()
  isBroken = false
  world.acmeSettings.directory = DIRECTORY
  world.acme.told = (_name, type) => (type === 'A' ? ['127.0.0.1'] : [])
  // As an authority asks: the balancer by HTTP, the name server and whom a CNAME leads to.
  world.acme.answers = ({ type, name, token, content }: Challenge) =>
    !isBroken &&
    (type === 'http-01'
      ? world.balancer.request({ host: name, path: challengePath({ token }) }).body === content
      : texts(world.acme.told(challengeName(name), 'CNAME')[0] ?? challengeName(name)).includes(content))
})
afterEach(() => world.end())

const { zoneId, change } = makeCalls(() => world)
const texts = (name: string) =>
  world.dns.query(name, 'TXT').answers.flatMap((one) => / TXT "([^"]*)"$/.exec(one)?.[1] ?? [])
const request = (DomainName: string, more: object = {}) =>
  world.acm.requestCertificate(world.context, {
    ...{ DomainName, ValidationMethod: 'HTTP', KeyAlgorithm: 'EC_prime256v1', ...more },
  }).CertificateArn!
const detail = (CertificateArn: string) =>
  world.acm.describeCertificate(world.context, { CertificateArn }).Certificate!
const status = (arn: string) => detail(arn).Status
const requested = (arn: string) => world.acm.requested().find((one) => one.arn === arn)!
const until = (arn: string, wanted: string) => world.clock.runUntil(() => status(arn) === wanted, 5 * MINUTE)

/** A load balancer that has the names, and a listener of HTTPS with the certificate if one is given. */
function balance(hosts: string[], CertificateArn?: string): string {
  const { elasticloadbalancingv2: elb, ec2, context } = world
  const { Subnets = [] } = ec2.describeSubnets(context, {})
  const LoadBalancerArn = elb.createLoadBalancer(context, {
    ...{ Name: 'shop', Subnets: Subnets.map(({ SubnetId }) => SubnetId!) },
  }).LoadBalancers![0]!.LoadBalancerArn!
  // The group that it got lets nobody in from elsewhere.
  const [{ GroupId } = {}] = ec2.describeSecurityGroups(context, { GroupNames: ['default'] }).SecurityGroups!
  ec2.authorizeSecurityGroupIngress(context, {
    ...{ GroupId, IpPermissions: [{ IpProtocol: '-1', IpRanges: [{ CidrIp: '0.0.0.0/0' }] }] },
  })
  elb.putLoadBalancerNames(context, LoadBalancerArn, { hosts, loopbackPort: null })
  const fixed = { Type: 'fixed-response' as const, FixedResponseConfig: { StatusCode: '200' } }
  elb.createListener(context, { LoadBalancerArn, Protocol: 'HTTP', Port: 80, DefaultActions: [fixed] })
  if (CertificateArn !== undefined)
    elb.createListener(context, {
      ...{ LoadBalancerArn, Protocol: 'HTTPS', Port: 443, DefaultActions: [fixed] },
      Certificates: [{ CertificateArn }],
    })
  return LoadBalancerArn
}

describe('certificates that are asked for', () => {
  it('are shown by HTTP through the balancer, and are those of their load balancers then', async () => {
    balance(['www.example.org'])
    const arn = request('WWW.example.org', { IdempotencyToken: 'one' })
    assert.equal(request('www.example.org', { IdempotencyToken: 'one' }), arn)
    const { Status, Type, DomainName } = detail(arn)
    assert.deepEqual([Status, Type, DomainName], ['PENDING_VALIDATION', 'AMAZON_ISSUED', 'www.example.org'])
    assert.throws(() => world.acm.getCertificate(world.context, { CertificateArn: arn }), {
      code: 'RequestInProgressException',
    })
    assert.equal(world.acm.certificatePem(world.context, arn), undefined)
    await until(arn, 'ISSUED')
    const { Certificate = '' } = world.acm.getCertificate(world.context, { CertificateArn: arn })
    assert.equal(new X509Certificate(Certificate).subjectAltName, 'DNS:www.example.org')
    assert.deepEqual(
      detail(arn).DomainValidationOptions!.map((one) => one.ValidationStatus),
      ['SUCCESS'],
    )
    assert.match(world.acm.certificatePem(world.context, arn)!, /PRIVATE KEY/)
    await world.clock.run(5_000)
    assert.equal(world.balancer.model().challenges, undefined)
    assert.equal(world.acme.issued(DIRECTORY), 1)
  })

  it('are shown by DNS in a zone of the home, below a wildcard too, also where its owner made the record', async () => {
    const zone = zoneId('example.org')
    // Signed, since what is carried of such a zone is more than its records.
    const { route53, context } = world
    route53.createKeySigningKey(context, {
      ...{ HostedZoneId: zone, Name: 'first', Status: 'ACTIVE', CallerReference: '1' },
      KeyManagementServiceArn: 'arn:aws:kms:us-east-1:000000000000:key/first',
    })
    route53.enableHostedZoneDNSSEC(context, { HostedZoneId: zone })
    const names = ['example.org', '*.example.org', 'www.example.org']
    const arn = request(names[0]!, { ValidationMethod: 'DNS', SubjectAlternativeNames: names.slice(1) })
    const { ResourceRecord } = detail(arn).DomainValidationOptions!.find(
      ({ DomainName }) => DomainName === '*.example.org',
    )!
    assert.equal(ResourceRecord!.Name, '_acme-challenge.example.org.')
    change(zone, ...put(set(ResourceRecord!.Name!, 'CNAME', [ResourceRecord!.Value!])))
    await world.clock.runUntil(() => texts('_acme-challenge.example.org').length === 2, MINUTE)
    assert.deepEqual(texts('_acme-challenge.www.example.org'), [], 'the wildcard covers it')
    await until(arn, 'ISSUED')
    await world.clock.run(10_000)
    assert.deepEqual(texts('_acme-challenge.example.org'), [])
    assert.deepEqual(world.dns.query('_acme-challenge.example.org', 'CNAME').answers.length, 1)
    assert.deepEqual(detail(arn).SubjectAlternativeNames, names)
  })

  it('are shown for a zone elsewhere once its owner leads there, and not ordered before', async () => {
    const told = new Map<string, string>()
    world.acme.told = (name, type) => (type === 'CNAME' && told.has(name) ? [told.get(name)!] : [])
    const arn = request('www.example.net', { ValidationMethod: 'DNS' })
    await world.clock.run(MINUTE)
    assert.match(
      requested(arn).reason,
      /_acme-challenge\.www\.example\.net is to be a CNAME to _.*, and is none/,
    )
    const { Name = '', Value = '' } = detail(arn).DomainValidationOptions![0]!.ResourceRecord!
    told.set(Name.replace(/\.$/, ''), Value.replace(/\.$/, ''))
    await until(arn, 'ISSUED')
    assert.equal(requested(arn).reason, '')
  })

  it('leave what a wildcard of the zone answers as it is', async () => {
    const zone = zoneId('example.org')
    change(
      zone,
      ...put(set('*.example.org', 'A', ['192.0.2.1']), set('x.deep.example.org', 'A', ['192.0.2.2'])),
    )
    const answers = (name: string) => world.dns.query(name, 'A').answers.map((one) => one.split(' ')[2])
    const arn = request('a.b.example.org', {
      ValidationMethod: 'DNS',
      SubjectAlternativeNames: ['www.example.org'],
    })
    await world.clock.runUntil(() => texts('_acme-challenge.a.b.example.org').length === 1, MINUTE)
    for (const name of ['www.example.org', 'a.b.example.org', 'b.example.org', 'other.example.org'])
      assert.deepEqual(answers(name), ['192.0.2.1'], name)
    assert.deepEqual(answers('deep.example.org'), [])
    await until(arn, 'ISSUED')
  })

  it('are ordered one after the other when they have the same names', async () => {
    balance(['www.example.org'])
    const arns = [request('www.example.org'), request('www.example.org')]
    for (const arn of arns) await until(arn, 'ISSUED')
    const serials = arns.map((arn) => detail(arn).Serial)
    assert.notEqual(serials[0], serials[1])
    await world.clock.run(5_000)
    assert.ok(world.elasticloadbalancingv2.isApplied())
  })

  it('are not ordered by HTTP while nobody serves it', async () => {
    const arn = request('www.example.org')
    await world.clock.run(MINUTE)
    assert.match(requested(arn).reason, /no load balancer .* has a listener of HTTP at port 80/)
    balance(['www.example.org'])
    world.acm.retry(arn)
    await until(arn, 'ISSUED')
  })

  it('outlive a clock that leaps, since nothing ran meanwhile', async () => {
    balance(['www.example.org'])
    isBroken = true
    const arn = request('www.example.org')
    await world.clock.runUntil(() => requested(arn).reason !== '', MINUTE)
    const leap = 80 * 60 * MINUTE
    world.clock.setWall(leap)
    world.acm.shiftDeadlines(leap)
    isBroken = false
    await world.clock.run(16 * MINUTE)
    assert.equal(status(arn), 'ISSUED')
  })

  it('are left alone when nobody uses them and they cannot be renewed', async () => {
    balance(['www.example.org'])
    const arn = request('www.example.org')
    await until(arn, 'ISSUED')
    isBroken = true
    world.acm.renewCertificate(world.context, { CertificateArn: arn })
    await world.clock.runUntil(() => requested(arn).reason !== '', MINUTE)
    const { nextAt } = requested(arn)
    await world.clock.run(40 * MINUTE)
    assert.equal(requested(arn).nextAt, nextAt)
    assert.equal(detail(arn).DomainValidationOptions![0]!.ValidationStatus, 'SUCCESS')
  })

  it('are not ordered while a name leads elsewhere', async () => {
    balance(['www.example.org'])
    world.acme.told = (_name, type) => (type === 'A' ? ['192.0.2.99'] : [])
    const arn = request('www.example.org')
    await world.clock.run(MINUTE)
    assert.equal(requested(arn).reason, 'www.example.org is 192.0.2.99, and is to be 127.0.0.1')
    world.acme.told = (_name, type) => (type === 'A' ? ['127.0.0.1'] : [])
    await until(arn, 'ISSUED')
  })

  it('are tried again after a quarter of an hour, then twice as long, and given up after three days', async () => {
    balance(['www.example.org'])
    isBroken = true
    const arn = request('www.example.org')
    await world.clock.runUntil(() => requested(arn).reason !== '', MINUTE)
    assert.match(requested(arn).reason, /www\.example\.org: it does not answer http-01/)
    assert.equal(requested(arn).nextAt - world.clock.now(), 15 * MINUTE)
    await world.clock.run(15 * MINUTE + 10_000)
    const wait = requested(arn).nextAt - world.clock.now()
    assert.ok(wait > 29 * MINUTE && wait <= 30 * MINUTE, `${wait}`)
    world.clock.setWall(72 * 60 * MINUTE)
    await world.clock.run(3 * MINUTE)
    assert.equal(status(arn), 'VALIDATION_TIMED_OUT')
    world.acm.deleteCertificate(world.context, { CertificateArn: arn })
    assert.deepEqual(world.acm.requested(), [])
  })

  it('are rehearsed first, and not ordered when that fails', async () => {
    balance(['www.example.org'])
    world.acmeSettings.staging = STAGING
    isBroken = true
    const arn = request('www.example.org')
    await world.clock.runUntil(() => requested(arn).reason !== '', MINUTE)
    isBroken = false
    assert.deepEqual([requested(arn).stage, world.acme.issued(DIRECTORY)], ['rehearsal', 0])
    await world.clock.run(16 * MINUTE)
    assert.equal(status(arn), 'ISSUED')
    assert.deepEqual([world.acme.issued(STAGING), world.acme.issued(DIRECTORY)], [1, 1])
  })

  it('are renewed while a listener has them, and told when that comes to be late', async () => {
    // Of 72 minutes: renewed 24 before the end, in trouble 16 before it.
    world.acme.days = 0.05
    const [used, unused] = [request('www.example.org'), request('old.example.org')]
    balance(['www.example.org', 'old.example.org'])
    await until(used, 'ISSUED')
    await until(unused, 'ISSUED')
    const { elasticloadbalancingv2: elb, context } = world
    const [{ LoadBalancerArn } = {}] = elb.describeLoadBalancers(context, {}).LoadBalancers!
    const fixed = { Type: 'fixed-response' as const, FixedResponseConfig: { StatusCode: '200' } }
    elb.createListener(context, {
      ...{ LoadBalancerArn, Protocol: 'HTTPS', Port: 443, DefaultActions: [fixed] },
      Certificates: [{ CertificateArn: used }],
    })
    const first = detail(used).NotAfter!
    await world.clock.run(50 * MINUTE)
    const second = detail(used).NotAfter!
    assert.ok(second > first)
    assert.equal(detail(used).RenewalEligibility, 'ELIGIBLE')
    assert.equal(world.acme.issued(DIRECTORY), 3)
    isBroken = true
    await world.clock.run(50 * MINUTE)
    assert.deepEqual(detail(used).NotAfter, second)
    assert.equal(detail(used).RenewalSummary!.RenewalStatus, 'PENDING_VALIDATION')
    assert.deepEqual(world.told, [])
    await world.clock.run(16 * MINUTE)
    assert.equal(world.told.length, 1)
    assert.match(
      world.told[0]!,
      /^The certificate of www\.example\.org, which is good until .*, could not be renewed: .*http-01/,
    )
    isBroken = false
    await world.clock.run(40 * MINUTE)
    assert.ok(detail(used).NotAfter! > second)
  })

  it('are renewed when that is asked for', async () => {
    balance(['www.example.org'])
    const arn = request('www.example.org')
    assert.throws(() => world.acm.renewCertificate(world.context, { CertificateArn: arn }), {
      code: 'RequestInProgressException',
    })
    await until(arn, 'ISSUED')
    world.acm.renewCertificate(world.context, { CertificateArn: arn })
    await world.clock.runUntil(() => world.acme.issued(DIRECTORY) === 2, MINUTE)
    assert.equal(status(arn), 'ISSUED')
  })

  it('are issued through faults, lost answers and deaths of the control plane', async () => {
    balance(['www.example.org'])
    const faults = ['error before', 'error after', 'never', undefined, undefined, undefined] as const
    const random = seededRandom(7)
    world.acme.fault = () => faults[Math.floor(random.next() * faults.length)]
    const arn = request('www.example.org')
    for (let lives = 0; status(arn) !== 'ISSUED' && lives < 200; lives++) {
      await world.clock.run(3 * MINUTE)
      world.restart()
    }
    assert.equal(status(arn), 'ISSUED')
  })

  it("are the home's own authority's below .localhost", async () => {
    world.acmeSettings.directory = null
    const arn = request('shop.localhost', { ValidationMethod: 'DNS' })
    await until(arn, 'ISSUED')
    assert.equal(world.acme.issued(DIRECTORY), 0)
    assert.match(await world.acm.authority(), /BEGIN CERTIFICATE/)
  })

  it('are refused for what cannot be issued', () => {
    const refused = (DomainName: string, more: object, message: RegExp) =>
      assert.throws(() => request(DomainName, more), { message })
    refused('a b.example', {}, /The domain name 'a b\.example' is not valid/)
    for (const name of ['example', 'a_b.example.org', '192.0.2.1']) refused(name, {}, /not valid/)
    refused(`${'a.'.repeat(120)}example`, { ValidationMethod: 'DNS' }, /too long to be shown by DNS/)
    refused('*.example.org', {}, /shown by DNS alone/)
    refused('www.example.org', { ValidationMethod: 'EMAIL' }, /EMAIL.* is not supported/)
    refused('www.example.org', { ValidationMethod: undefined }, /EMAIL.* is not supported/)
    refused('www.example.org', { KeyAlgorithm: 'RSA_1024' }, /RSA_1024 is not supported/)
    refused(
      'www.example.org',
      { CertificateAuthorityArn: 'arn:x' },
      /CertificateAuthorityArn is not supported/,
    )
    refused('www.example.org', { SubjectAlternativeNames: ['a.localhost'] }, /www\.example\.org is none/)
    const many = Array.from({ length: 100 }, (_unused, n) => `h${n}.example.org`)
    refused('www.example.org', { SubjectAlternativeNames: many }, /at most 100 domain names, not 101/)
    world.acmeSettings.directory = null
    refused('www.example.org', {}, /polebean config set acme\.directory/)
  })
})
