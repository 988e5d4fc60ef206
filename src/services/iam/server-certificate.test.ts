import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { LONG_LIVED, makeCertificate } from '../../kernel/test-certificate.ts'
import { makeServicesWorld, type ServicesWorld } from '../testing/services-world.ts'

let world: ServicesWorld
beforeEach(() => {
  world = makeServicesWorld()
})
afterEach(() => world.end())

const iam = () => world.iam
const upload = (more: object = {}) =>
  iam().uploadServerCertificate(world.context, {
    ServerCertificateName: 'shop',
    CertificateBody: LONG_LIVED.certificate,
    PrivateKey: LONG_LIVED.key,
    ...more,
  }).ServerCertificateMetadata!
const named = { ServerCertificateName: 'shop' }

describe('server certificates of iam', () => {
  it('are described, listed and given back without their key', () => {
    const { Arn, ServerCertificateId, Expiration } = upload({ Path: '/web/' })
    assert.equal(Arn, 'arn:aws:iam::000000000000:server-certificate/web/shop')
    assert.match(ServerCertificateId!, /^ASCA[A-Z0-9]{17}$/)
    assert.equal(Expiration!.getUTCFullYear(), 2120)
    const { ServerCertificate } = iam().getServerCertificate(world.context, named)
    assert.equal(ServerCertificate!.CertificateBody, LONG_LIVED.certificate)
    assert.ok(!JSON.stringify(ServerCertificate).includes('PRIVATE KEY'))
    const listed = (PathPrefix?: string) =>
      iam().listServerCertificates(world.context, { PathPrefix }).ServerCertificateMetadataList!.length
    assert.deepEqual([listed(), listed('/web/'), listed('/other/')], [1, 1, 0])
  })

  it('are shown by listeners, and stay as they are meanwhile', async () => {
    const { Arn } = upload()
    const elb = world.elasticloadbalancingv2
    const Subnets = world.ec2.describeSubnets(world.context, {}).Subnets!.map((one) => one.SubnetId!)
    const [balancer] = elb.createLoadBalancer(world.context, { Name: 'web', Subnets }).LoadBalancers!
    const { ListenerArn } = elb.createListener(world.context, {
      ...{ LoadBalancerArn: balancer!.LoadBalancerArn, Protocol: 'HTTPS', Port: 443 },
      Certificates: [{ CertificateArn: Arn }],
      DefaultActions: [{ Type: 'fixed-response', FixedResponseConfig: { StatusCode: '200' } }],
    }).Listeners![0]!
    await world.clock.run(2_000)
    assert.deepEqual(world.balancer.model().certificates, [
      { id: Arn, pem: `${LONG_LIVED.key}${LONG_LIVED.certificate}` },
    ])
    const remove = () => iam().deleteServerCertificate(world.context, named)
    assert.throws(remove, { code: 'DeleteConflict', message: /is currently in use by arn:/ })
    const move = () => iam().updateServerCertificate(world.context, { ...named, NewPath: '/x/' })
    assert.throws(move, { code: 'DeleteConflict' })
    elb.deleteListener(world.context, { ListenerArn })
    move()
    iam().updateServerCertificate(world.context, { ...named, NewServerCertificateName: 'Shop' })
    remove()
    assert.throws(remove, { code: 'NoSuchEntity' })
  })

  const other = makeCertificate(['other.example.com'])
  const bad: [more: object, error: object][] = [
    [{ CertificateBody: 'x' }, { code: 'MalformedCertificate', message: /Unable to parse certificate/ }],
    [{ PrivateKey: other.key }, { code: 'KeyPairMismatch' }],
    [{ PrivateKey: 'x' }, { code: 'MalformedCertificate', message: /Unable to parse key/ }],
    [{ CertificateChain: other.certificate }, { code: 'MalformedCertificate', message: /certificate chain/ }],
    [{ ServerCertificateName: 'a b' }, { code: 'ValidationError' }],
    [
      // Made today, which the virtual clock has not reached.
      { CertificateBody: other.certificate, PrivateKey: other.key },
      { code: 'MalformedCertificate', message: /not valid at this time/ },
    ],
  ]
  for (const [more, error] of bad)
    it(`are refused: ${JSON.stringify(Object.keys(more))} ${JSON.stringify(error)}`, () => {
      assert.throws(() => upload(more), error)
    })

  it('have names of their own, whatever the case, and a quota', () => {
    upload()
    assert.throws(() => upload({ ServerCertificateName: 'SHOP' }), { code: 'EntityAlreadyExists' })
    for (let n = 1; n < 20; n++) upload({ ServerCertificateName: `shop-${n}` })
    assert.throws(() => upload({ ServerCertificateName: 'one-more' }), { code: 'LimitExceeded' })
  })
})
