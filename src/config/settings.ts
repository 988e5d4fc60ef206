// Every setting of a home that its owner may give in <home>/config.yaml: the one table that the file, the command line,
// the documentation and the type of the configuration are made of. A setting is a row here, and nothing else.
import { isIP } from 'node:net'
import {
  address,
  bytes,
  decimal,
  duration,
  integer,
  list,
  orNull,
  port,
  text,
  type ValueType,
} from './types.ts'

export type Setting<T> = {
  /** Sentences for the file and the documents: what it does, in whose words, and what happens at its limits. */
  doc: string
  type: ValueType<T>
  default: T
  /** What the default comes to, where the value does not say it. */
  defaultSays?: string
  /** `at once`: a running server follows within seconds. `start`: when the server starts the next time. */
  takesEffect: 'at once' | 'start'
  /** The option of `server` and `start` that wins over the file. */
  flag?: '--http-port' | '--api-port' | '--domain'
}

const setting = <T>(row: Setting<T>): Setting<T> => row

/** A /16 of 10/8, 172.16/12, 192.168/16 or 100.64/10. */
const PRIVATE =
  /^(10\.(\d|[1-9]\d|1\d\d|2[0-4]\d|25[0-5])|172\.(1[6-9]|2\d|3[01])|192\.168|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7]))\.0\.0\/16$/
const ABSOLUTE_PATH = /^\/[^\0\n]{1,1023}$/
const absolutePath = text('an absolute path', (value) => ABSOLUTE_PATH.test(value))
const releaseSource = text(
  'an https URL without user, query and fragment, or an absolute path',
  (value) => ABSOLUTE_PATH.test(value) || (/^https:\/\/[^?#@\s]{1,1015}$/.test(value) && URL.canParse(value)),
)
const directoryUrl = text(
  'an https URL without user and fragment',
  (value) => /^https:\/\/[^#@\s]{1,1015}$/.test(value) && URL.canParse(value),
)
/** `192.0.2.53`, `192.0.2.53:5353`, `2001:db8::53`, `[2001:db8::53]:5353`. */
function isServer(value: string): boolean {
  const { address = value } = /^\[?(?<address>[^\]]+?)\]?:(?<port>\d{1,5})$/.exec(value)?.groups ?? {}
  return isIP(value) !== 0 || isIP(address) !== 0
}
/** Names below these are somebody's production: a name that does not lead here would lead there. */
const OF_AWS = /(\.elasticbeanstalk\.com|(^|\.)(amazonaws\.com(\.cn)?|eb\.amazonaws\.com\.cn))$/
const isOneAddress = (value: string) =>
  isIP(value) !== 0 && !/^(0\.0\.0\.0|::|127\..*|::1|.*%.*)$/.test(value)
const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/

export const table = {
  'listeners.http': setting<number | null>({
    doc: 'Port of this machine on which the public listeners of port 80 listen.',
    type: orNull(port, 'the one chosen at first start'),
    default: null,
    defaultSays: '80, or the first free one from 8080 on, chosen at first start',
    takesEffect: 'start',
    flag: '--http-port',
  }),
  'listeners.publicAddresses': setting<readonly string[]>({
    doc:
      'Addresses of this machine, besides loopback, on which the public listeners of port 80 listen. ' +
      '0.0.0.0 stands for all IPv4 addresses, :: for all IPv6 addresses.',
    type: list(address, 16),
    default: [],
    defaultSays: 'loopback only',
    takesEffect: 'at once',
  }),
  'api.port': setting<number | null>({
    doc: 'Port of the AWS API on loopback.',
    type: orNull(port, 'the one chosen at first start'),
    default: null,
    defaultSays: 'the first free one from 4777 on, chosen at first start',
    takesEffect: 'start',
    flag: '--api-port',
  }),
  'api.name': setting<string | null>({
    doc:
      'Host name under which the AWS API answers by TLS, also to other machines. ' +
      'Without it the API is on loopback only: it is never published without TLS.',
    type: orNull(
      text(
        'a host name in lower case that is not below .localhost',
        (value) =>
          value.length <= 253 &&
          !value.endsWith('.localhost') &&
          value.split('.').every((label) => LABEL.test(label)),
      ),
      'no TLS',
    ),
    default: null,
    takesEffect: 'start',
  }),
  'api.certificate': setting<string | null>({
    doc:
      'File with the certificate for api.name, the certificates between, and the private key, all in PEM. ' +
      'When the file changes it is loaded again, within seconds.',
    type: orNull(
      text('an absolute path', (value) => /^\/[^\0-\x1f\x7f]{1,1023}$/.test(value)),
      'no TLS',
    ),
    default: null,
    takesEffect: 'start',
  }),
  'api.addresses': setting<readonly string[]>({
    doc:
      'Addresses of this machine on which the API answers by TLS. ' +
      '0.0.0.0 stands for all IPv4 addresses, :: for all IPv6 addresses.',
    type: list(address, 16),
    default: [],
    defaultSays: 'loopback only',
    takesEffect: 'start',
  }),
  'api.tlsPort': setting<number>({
    doc: 'Port on which the API answers by TLS.',
    type: port,
    default: 443,
    takesEffect: 'start',
  }),
  'dns.domain': setting<string | null>({
    doc:
      'Domain of environments, without the region: an environment is PREFIX.REGION.DOMAIN. ' +
      'It cannot change while there are environments: their names were handed out. elasticbeanstalk.com is for clients that insist on it: ' +
      'names are written to /etc/hosts, and no environment is made while they do not lead to this machine.',
    type: orNull(
      text(
        'a domain name in lower case, and none of AWS but elasticbeanstalk.com',
        (value) =>
          value.length <= 180 && value.split('.').every((label) => LABEL.test(label)) && !OF_AWS.test(value),
      ),
      'the one of the first start',
    ),
    default: null,
    defaultSays: 'elasticbeanstalk.localhost, or what --domain said at first start',
    takesEffect: 'start',
    flag: '--domain',
  }),
  'dns.addresses': setting<readonly string[]>({
    doc:
      'Addresses of this machine, besides loopback, on which the name server answers for the domain of environments and for hosted zones. ' +
      'Not 0.0.0.0 and not ::, since a resolver of this machine may have port 53 of its loopback.',
    type: list(text('an IP address that is not 0.0.0.0, :: or of the loopback', isOneAddress), 16),
    default: [],
    defaultSays: 'loopback only, at the port chosen at first start',
    takesEffect: 'start',
  }),
  'dns.port': setting<number>({
    doc: 'Port of dns.addresses on which the name server answers, by UDP and TCP.',
    type: port,
    default: 53,
    takesEffect: 'start',
  }),
  'dns.secondaries': setting<readonly string[]>({
    doc:
      'Name servers of elsewhere that may fetch the public zones (AXFR), and are told at port 53 when one has changed (NOTIFY). They ask at dns.addresses; ' +
      'without one nobody gets a zone. Weights cannot be given: with secondaries, all servers answer what has the greatest weight. ' +
      'Instances are answered by a second server then, of 24 MB.',
    type: list(
      text(
        'an IP address that is not 0.0.0.0 or ::',
        (value) => isIP(value) !== 0 && !/^(0\.0\.0\.0|::|.*%.*)$/.test(value),
      ),
      16,
    ),
    default: [],
    defaultSays: 'none: nobody gets a zone',
    takesEffect: 'start',
  }),
  'dns.publicAddresses': setting<readonly string[]>({
    doc:
      'Addresses that clients elsewhere are told for load balancers and environments: those of this machine as they see it, also behind a ' +
      'translation of addresses. Instances are told addresses of the VPC.',
    type: list(text('an IP address that is not 0.0.0.0, :: or of the loopback', isOneAddress), 16),
    default: [],
    defaultSays: 'those of listeners.publicAddresses, or 127.0.0.1',
    takesEffect: 'at once',
  }),
  'acme.directory': setting<string | null>({
    doc:
      'URL of the ACME directory of an authority of certificates, such as https://acme-v02.api.letsencrypt.org/directory: it issues the ' +
      'certificates that `acm request-certificate` and `polebean domain add` ask for. Whoever sets it agrees to its terms.',
    type: orNull(directoryUrl, 'no certificates but those that are imported, and below .localhost'),
    default: null,
    takesEffect: 'at once',
  }),
  'acme.staging': setting<string | null>({
    doc:
      'URL of a directory at which each first order is rehearsed, since authorities count orders that fail: ' +
      'https://acme-staging-v02.api.letsencrypt.org/directory.',
    type: orNull(directoryUrl, 'no rehearsal'),
    default: null,
    takesEffect: 'at once',
  }),
  'acme.email': setting<string | null>({
    doc: 'Address to which the authority writes.',
    type: orNull(
      text('an e-mail address', (value) => /^[^\s@<>"]{1,64}@[^\s@<>"]{1,190}$/.test(value)),
      'none',
    ),
    default: null,
    takesEffect: 'at once',
  }),
  'acme.trust': setting<string | null>({
    doc: "File with certificates in PEM by which the authority's own HTTPS is trusted.",
    type: orNull(absolutePath, 'as everybody'),
    default: null,
    takesEffect: 'at once',
  }),
  'acme.resolver': setting<string | null>({
    doc: 'Name server, as 192.0.2.53 or 192.0.2.53:5353, that is asked what others are told of a name, before a certificate is ordered for it.',
    type: orNull(
      text('an IP address, with a port or without', (value) => isServer(value)),
      "the machine's own",
    ),
    default: null,
    takesEffect: 'at once',
  }),
  'network.cidr': setting<string | null>({
    doc:
      "Range of the VPC's addresses, a /16 of private addresses that the machine has no route for. " +
      'It cannot change while there are instances or load balancers: their addresses are of it.',
    type: orNull(
      text('a /16 of private addresses, as 10.77.0.0/16', (value) => PRIVATE.test(value)),
      'the one chosen at first start',
    ),
    default: null,
    defaultSays: 'a free one, chosen at first start',
    takesEffect: 'start',
  }),
  'limits.environments': setting<number>({
    doc:
      'Environments at once. One more is refused by TooManyEnvironmentsException. ' +
      'A home has loopback ports for 200.',
    type: integer({ min: 1, max: 200 }),
    default: 200,
    takesEffect: 'at once',
  }),
  'limits.instances': setting<number | null>({
    doc: 'Instances at once, of all environments. One more is refused by InstanceLimitExceeded.',
    type: orNull(integer({ min: 1, max: 10_000 }), 'no limit'),
    default: null,
    takesEffect: 'at once',
  }),
  'budgets.bundles': setting<number>({
    doc:
      'Bytes of all objects in S3, bundles among them. Above it `polebean status` warns; nothing is deleted, since ' +
      'objects are yours: delete versions that you do not need.',
    type: bytes({ min: 0 }),
    default: 10 * 2 ** 30,
    takesEffect: 'at once',
  }),
  'budgets.caches': setting<number | null>({
    doc:
      'Bytes of built dependency layers. Above it those go that no version, deployment and instance names, the one ' +
      'that was needed longest ago first.',
    type: orNull(bytes({ min: 0 }), '5 GiB, or a tenth of the disk where that is less'),
    default: null,
    defaultSays: '5 GiB, or a tenth of the disk where that is less',
    takesEffect: 'at once',
  }),
  'budgets.logs': setting<number>({
    doc: 'Bytes, compressed, of the logs of instances that are gone. They are kept for a week; above it the oldest go sooner.',
    type: bytes({ min: 0 }),
    default: 64 * 2 ** 20,
    takesEffect: 'at once',
  }),
  'budgets.metrics': setting<number>({
    doc: 'Bytes of the points of metrics. They are kept as CloudWatch keeps them; above it the oldest go sooner, those of single seconds first.',
    type: bytes({ min: 16 * 2 ** 20 }),
    default: 2 ** 30,
    takesEffect: 'at once',
  }),
  'budgets.logEvents': setting<number>({
    doc: 'Bytes, compressed, of the events of CloudWatch Logs. Above it the oldest go, of whatever group, before the retention of their group is over.',
    type: bytes({ min: 2 ** 20 }),
    default: 2 ** 30,
    takesEffect: 'at once',
  }),
  'budgets.memoryOvercommit': setting<number>({
    doc:
      "How often the machine's memory, without what other programs use, is lent out: an instance counts with what it " +
      'uses, and at least with this part of the memory of its type. One that does not fit is refused by InsufficientInstanceCapacity.',
    type: decimal({ min: 1, max: 100 }),
    default: 10,
    takesEffect: 'at once',
  }),
  'budgets.buildMemory': setting<number | null>({
    doc: 'Bytes of memory that one build may hold; of one that wants more the kernel ends processes.',
    type: orNull(bytes({ min: 64 * 2 ** 20 }), "half of the machine's memory, 4 GiB at most"),
    default: null,
    defaultSays: "half of the machine's memory, 4 GiB at most",
    takesEffect: 'at once',
  }),
  'budgets.events': setting<number>({
    doc: 'Events of one environment. They are kept for 90 days; above it the oldest go sooner.',
    type: integer({ min: 100, max: 100_000 }),
    default: 10_000,
    takesEffect: 'at once',
  }),
  'backup.folder': setting<string | null>({
    doc:
      'Folder on this machine, outside of the home, into which the server writes backups by itself. ' +
      'It must be there. Only files with names of their own are ever deleted in it.',
    type: orNull(absolutePath, 'no backups by itself'),
    default: null,
    takesEffect: 'at once',
  }),
  'backup.every': setting<number>({
    doc: 'How often. One that failed is tried again after an hour, and is an event of each environment.',
    type: duration({ minSeconds: 60 }),
    default: 24 * 3_600,
    takesEffect: 'at once',
  }),
  'backup.keep': setting<number>({
    doc: 'How many of them stay; the oldest go.',
    type: integer({ min: 1, max: 1_000 }),
    default: 7,
    takesEffect: 'at once',
  }),
  'backup.passphraseFile': setting<string | null>({
    doc: 'They are sealed with the first line of that file, which only root may read.',
    type: orNull(absolutePath, 'not sealed'),
    default: null,
    takesEffect: 'at once',
  }),
  'releases.source': setting<string | null>({
    doc:
      'Where `polebean upgrade` and `polebean upgrade VERSION` find releases: polebean-VERSION-linux-ARCH.tar.gz, its ' +
      '.sha256 and the file latest, as npm run release makes them. Whoever can write there is root here at the next upgrade.',
    type: orNull(releaseSource, 'releases are named by their file'),
    default: null,
    takesEffect: 'at once',
  }),
}

type Table = typeof table
export type Key = keyof Table
export type ValueOf<K extends Key> = Table[K] extends Setting<infer T> ? T : never
type Group = Key extends infer K ? (K extends `${infer G}.${string}` ? G : never) : never

/** The values of all settings, by group and name: `config.listeners.http`. */
export type Config = {
  readonly [G in Group]: { readonly [K in Key as K extends `${G}.${infer Name}` ? Name : never]: ValueOf<K> }
}

export const keys = Object.keys(table) as Key[]
export const isKey = (name: string): name is Key => Object.hasOwn(table, name)
/** The row of a setting whose type does not matter. */
export const rowOf = (key: Key): Setting<unknown> => table[key] as Setting<unknown>

/** A value as people write it: `20 GiB`. */
export function shownValue(key: Key, value: unknown): unknown {
  const { show } = rowOf(key).type
  return show ? show(value) : value
}

/** A configuration out of the values that are given; the others are the defaults. */
export function configOf(given: ReadonlyMap<Key, unknown>): Config {
  const groups: Record<string, Record<string, unknown>> = {}
  for (const key of keys) {
    const [group = '', name = ''] = key.split('.')
    ;(groups[group] ??= {})[name] = given.has(key) ? given.get(key) : rowOf(key).default
  }
  return groups as Config
}

export function valueOf(config: Config, key: Key): unknown {
  const [group = '', name = ''] = key.split('.')
  return (config as Record<string, Record<string, unknown>>)[group]?.[name]
}
