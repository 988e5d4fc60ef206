import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { InstanceFacts } from './facts.ts'
import { METADATA_DEFAULTS } from './options.ts'
import { look, metadataTree, type Tree } from './tree.ts'

const FACTS: InstanceFacts = {
  options: METADATA_DEFAULTS,
  instanceId: 'i-0123456789abcdef0',
  imageId: 'ami-0123456789abcdef0',
  instanceType: 't3.micro',
  architecture: 'x86_64',
  launchIndex: 1,
  reservationId: 'r-0123456789abcdef0',
  launchedAt: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
  account: '000000000000',
  region: 'us-west-2',
  zone: 'us-west-2a',
  zoneId: 'polebean-az1',
  address: '10.0.0.16',
  mac: '0a:58:0a:00:00:10',
  hostname: 'ip-10-0-0-16.us-west-2.compute.internal',
  publicIp: null,
  networkInterfaceId: 'eni-0123456789abcdef0',
  groups: [
    { id: 'sg-1', name: 'web' },
    { id: 'sg-2', name: 'db clients' },
  ],
  subnet: { id: 'subnet-1', cidr: '10.0.0.0/17' },
  vpc: { id: 'vpc-1', cidr: '10.0.0.0/16' },
  key: null,
  tags: null,
  userData: null,
}
const DOCUMENT = `{
  "accountId" : "000000000000",
  "architecture" : "x86_64",
  "availabilityZone" : "us-west-2a",
  "billingProducts" : null,
  "devpayProductCodes" : null,
  "marketplaceProductCodes" : null,
  "imageId" : "ami-0123456789abcdef0",
  "instanceId" : "i-0123456789abcdef0",
  "instanceType" : "t3.micro",
  "kernelId" : null,
  "pendingTime" : "2026-01-02T03:04:05Z",
  "privateIp" : "10.0.0.16",
  "ramdiskId" : null,
  "region" : "us-west-2",
  "version" : "2017-09-30"
}`

const ask = (facts: InstanceFacts, path: string) =>
  look(metadataTree(facts), path.split('/').filter(Boolean))?.toString() ?? null
/** Every path that leads to a leaf, and what is there. */
const walk = (facts: InstanceFacts, path = ''): [path: string, text: string][] => {
  const tree = metadataTree(facts)
  const leaves = (here: Tree, above: string): [string, string][] =>
    Object.entries(here).flatMap(([name, value]): [string, string][] =>
      typeof value === 'string' || Buffer.isBuffer(value)
        ? [[`${above}/${name}`, value.toString()]]
        : leaves(value, `${above}/${name}`),
    )
  return leaves(tree, path)
}

describe('the metadata of an instance', () => {
  it('is all of this, and nothing else', () => {
    const mac = '/meta-data/network/interfaces/macs/0a:58:0a:00:00:10'
    assert.deepEqual(walk(FACTS), [
      ['/dynamic/instance-identity/document', DOCUMENT],
      ['/meta-data/ami-id', 'ami-0123456789abcdef0'],
      ['/meta-data/ami-launch-index', '1'],
      ['/meta-data/ami-manifest-path', '(unknown)'],
      ['/meta-data/hostname', 'ip-10-0-0-16.us-west-2.compute.internal'],
      ['/meta-data/instance-action', 'none'],
      ['/meta-data/instance-id', 'i-0123456789abcdef0'],
      ['/meta-data/instance-life-cycle', 'on-demand'],
      ['/meta-data/instance-type', 't3.micro'],
      ['/meta-data/local-hostname', 'ip-10-0-0-16.us-west-2.compute.internal'],
      ['/meta-data/local-ipv4', '10.0.0.16'],
      ['/meta-data/mac', '0a:58:0a:00:00:10'],
      [`${mac}/device-number`, '0'],
      [`${mac}/interface-id`, 'eni-0123456789abcdef0'],
      [`${mac}/local-hostname`, 'ip-10-0-0-16.us-west-2.compute.internal'],
      [`${mac}/local-ipv4s`, '10.0.0.16'],
      [`${mac}/mac`, '0a:58:0a:00:00:10'],
      [`${mac}/owner-id`, '000000000000'],
      [`${mac}/security-group-ids`, 'sg-1\nsg-2'],
      [`${mac}/security-groups`, 'web\ndb clients'],
      [`${mac}/subnet-id`, 'subnet-1'],
      [`${mac}/subnet-ipv4-cidr-block`, '10.0.0.0/17'],
      [`${mac}/vpc-id`, 'vpc-1'],
      [`${mac}/vpc-ipv4-cidr-block`, '10.0.0.0/16'],
      [`${mac}/vpc-ipv4-cidr-blocks`, '10.0.0.0/16'],
      ['/meta-data/placement/availability-zone', 'us-west-2a'],
      ['/meta-data/placement/availability-zone-id', 'polebean-az1'],
      ['/meta-data/placement/region', 'us-west-2'],
      ['/meta-data/reservation-id', 'r-0123456789abcdef0'],
      ['/meta-data/security-groups', 'web\ndb clients'],
      ['/meta-data/services/domain', 'amazonaws.com'],
      ['/meta-data/services/partition', 'aws'],
    ])
  })

  it('is more with an elastic address, a key pair, tags and user data', () => {
    const more: InstanceFacts = {
      ...FACTS,
      publicIp: '127.10.0.1',
      key: { name: 'my key', publicKey: 'ssh-ed25519 AAAA' },
      tags: [
        ['Name', 'shop'],
        ['__proto__', 'odd'],
      ],
      userData: Buffer.from('#!/bin/sh\n'),
    }
    const before = new Set(walk(FACTS).map(([path]) => path))
    assert.deepEqual(
      walk(more).filter(([path]) => !before.has(path)),
      [
        ['/meta-data/network/interfaces/macs/0a:58:0a:00:00:10/ipv4-associations/127.10.0.1', '10.0.0.16'],
        ['/meta-data/network/interfaces/macs/0a:58:0a:00:00:10/public-ipv4s', '127.10.0.1'],
        ['/meta-data/public-ipv4', '127.10.0.1'],
        ['/meta-data/public-keys/0/openssh-key', 'ssh-ed25519 AAAA my key\n'],
        ['/meta-data/tags/instance/Name', 'shop'],
        ['/meta-data/tags/instance/__proto__', 'odd'],
        ['/user-data', '#!/bin/sh\n'],
      ],
    )
    assert.equal(ask(more, ''), 'dynamic\nmeta-data\nuser-data')
    assert.equal(ask(more, 'meta-data/public-keys'), '0=my key')
    assert.equal(ask(more, 'meta-data/public-keys/0'), 'openssh-key')
    assert.equal(ask(more, 'meta-data/tags/instance'), 'Name\n__proto__')
  })

  it('lists each level as AWS does', () => {
    assert.equal(ask(FACTS, ''), 'dynamic\nmeta-data')
    assert.equal(
      ask(FACTS, 'meta-data'),
      'ami-id ami-launch-index ami-manifest-path hostname instance-action instance-id instance-life-cycle instance-type local-hostname local-ipv4 mac network/ placement/ reservation-id security-groups services/'.replaceAll(
        ' ',
        '\n',
      ),
    )
    assert.equal(ask(FACTS, 'meta-data/network/interfaces/macs'), '0a:58:0a:00:00:10/')
    assert.equal(ask(FACTS, 'dynamic/instance-identity'), 'document')
  })

  it('has nothing at other paths', () => {
    for (const path of [
      'iam',
      'iam/security-credentials/',
      'public-keys',
      'public-ipv4',
      'tags/instance/Name',
      'instance-id/more',
      'toString',
      '__proto__',
      'constructor/name',
    ])
      assert.equal(ask(FACTS, `meta-data/${path}`), null, path)
    for (const path of [
      'user-data',
      'dynamic/instance-identity/signature',
      'dynamic/instance-identity/pkcs7',
    ])
      assert.equal(ask(FACTS, path), null, path)
  })
})
