// What an instance can read of itself, as a tree: names and what they say. Names without something to say are not there.
import type { InstanceFacts } from './facts.ts'

export type Leaf = string | Buffer
export type Tree = { [name: string]: Leaf | Tree }

/** The version of the tree that we have whole, and by which clients ask for tags (2021-03-23). */
export const VERSIONS = ['2021-03-23', 'latest']

export function metadataTree(facts: InstanceFacts): Tree {
  return {
    dynamic: { 'instance-identity': { document: identityDocument(facts) } },
    'meta-data': metaData(facts),
    ...(facts.userData !== null && { 'user-data': facts.userData }),
  }
}

function metaData(facts: InstanceFacts): Tree {
  const { groups, key, publicIp } = facts
  return {
    'ami-id': facts.imageId,
    'ami-launch-index': String(facts.launchIndex),
    'ami-manifest-path': '(unknown)',
    hostname: facts.hostname,
    'instance-action': 'none',
    'instance-id': facts.instanceId,
    'instance-life-cycle': 'on-demand',
    'instance-type': facts.instanceType,
    'local-hostname': facts.hostname,
    'local-ipv4': facts.address,
    mac: facts.mac,
    network: { interfaces: { macs: { [facts.mac]: networkInterface(facts) } } },
    placement: {
      'availability-zone': facts.zone,
      'availability-zone-id': facts.zoneId,
      region: facts.region,
    },
    ...(publicIp !== null && { 'public-ipv4': publicIp }),
    ...(key && { 'public-keys': { 0: { 'openssh-key': `${key.publicKey} ${key.name}\n` } } }),
    'reservation-id': facts.reservationId,
    'security-groups': groups.map(({ name }) => name).join('\n'),
    services: { domain: 'amazonaws.com', partition: 'aws' },
    ...(facts.tags && { tags: { instance: Object.fromEntries(facts.tags) } }),
  }
}

const networkInterface = (facts: InstanceFacts): Tree => ({
  'device-number': '0',
  'interface-id': facts.networkInterfaceId,
  ...(facts.publicIp !== null && { 'ipv4-associations': { [facts.publicIp]: facts.address } }),
  'local-hostname': facts.hostname,
  'local-ipv4s': facts.address,
  mac: facts.mac,
  'owner-id': facts.account,
  ...(facts.publicIp !== null && { 'public-ipv4s': facts.publicIp }),
  'security-group-ids': facts.groups.map(({ id }) => id).join('\n'),
  'security-groups': facts.groups.map(({ name }) => name).join('\n'),
  'subnet-id': facts.subnet.id,
  'subnet-ipv4-cidr-block': facts.subnet.cidr,
  'vpc-id': facts.vpc.id,
  'vpc-ipv4-cidr-block': facts.vpc.cidr,
  'vpc-ipv4-cidr-blocks': facts.vpc.cidr,
})

// AWS's form: keys in this order, a blank before each colon.
function identityDocument(facts: InstanceFacts): string {
  const document = {
    accountId: facts.account,
    architecture: facts.architecture,
    availabilityZone: facts.zone,
    billingProducts: null,
    devpayProductCodes: null,
    marketplaceProductCodes: null,
    imageId: facts.imageId,
    instanceId: facts.instanceId,
    instanceType: facts.instanceType,
    kernelId: null,
    pendingTime: new Date(facts.launchedAt).toISOString().replace(/\.\d+Z$/, 'Z'),
    privateIp: facts.address,
    ramdiskId: null,
    region: facts.region,
    version: '2017-09-30',
  }
  const lines = Object.entries(document).map(
    ([name, value]) => `  ${JSON.stringify(name)} : ${JSON.stringify(value)}`,
  )
  return `{\n${lines.join(',\n')}\n}`
}

/** What a path leads to below `root`: a leaf, the names of a level, or null for nothing. */
export function look(root: Tree, segments: string[]): Leaf | null {
  let here: Leaf | Tree = root
  for (const segment of segments) {
    if (!isTree(here) || !Object.hasOwn(here, segment)) return null
    here = here[segment]!
  }
  return isTree(here) ? listing(here, segments) : here
}

// A level below another ends with a slash. AWS lists two levels in ways of their own: the first without slashes, keys by number
// and name.
function listing(tree: Tree, segments: string[]): string {
  const path = segments.join('/')
  const names = Object.entries(tree).map(([name, value]) => {
    if (path === 'meta-data/public-keys') return `${name}=${keyNameOf(value)}`
    return isTree(value) && path !== '' ? `${name}/` : name
  })
  return names.join('\n')
}

// The key itself is two words; its name may have more.
function keyNameOf(value: Leaf | Tree): string {
  const key = isTree(value) ? value['openssh-key'] : undefined
  return typeof key === 'string' ? key.split(' ').slice(2).join(' ').trimEnd() : ''
}

const isTree = (value: Leaf | Tree): value is Tree => typeof value === 'object' && !Buffer.isBuffer(value)
