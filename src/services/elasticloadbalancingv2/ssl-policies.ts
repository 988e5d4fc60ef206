// Security policies of HTTPS listeners, by AWS's names: which versions of TLS a client may speak. AWS's oldest ones also let in TLS
// 1.0 and 1.1, which today's OpenSSL does not speak: under them a client of TLS 1.2 is the oldest.
import type { SslPolicy } from '@aws-sdk/client-elastic-load-balancing-v2'
import type { ListenerTls } from '../../engines/balancer/engine.ts'

type Versions = Pick<ListenerTls, 'minVersion' | 'maxVersion'>
const UP_TO_2: Versions = { minVersion: '1.2', maxVersion: '1.2' }
const BOTH: Versions = { minVersion: '1.2', maxVersion: '1.3' }
const ONLY_3: Versions = { minVersion: '1.3', maxVersion: '1.3' }

/** What CreateListener takes when none is named. */
export const DEFAULT_SSL_POLICY = 'ELBSecurityPolicy-2016-08'

const POLICIES: Record<string, Versions> = {
  [DEFAULT_SSL_POLICY]: UP_TO_2,
  'ELBSecurityPolicy-2015-05': UP_TO_2,
  'ELBSecurityPolicy-TLS-1-1-2017-01': UP_TO_2,
  'ELBSecurityPolicy-TLS-1-2-2017-01': UP_TO_2,
  'ELBSecurityPolicy-TLS-1-2-Ext-2018-06': UP_TO_2,
  'ELBSecurityPolicy-FS-2018-06': UP_TO_2,
  'ELBSecurityPolicy-FS-1-1-2019-08': UP_TO_2,
  'ELBSecurityPolicy-FS-1-2-2019-08': UP_TO_2,
  'ELBSecurityPolicy-FS-1-2-Res-2019-08': UP_TO_2,
  'ELBSecurityPolicy-FS-1-2-Res-2020-10': UP_TO_2,
  'ELBSecurityPolicy-TLS13-1-0-2021-06': BOTH,
  'ELBSecurityPolicy-TLS13-1-1-2021-06': BOTH,
  'ELBSecurityPolicy-TLS13-1-2-2021-06': BOTH,
  'ELBSecurityPolicy-TLS13-1-2-Res-2021-06': BOTH,
  'ELBSecurityPolicy-TLS13-1-2-Ext1-2021-06': BOTH,
  'ELBSecurityPolicy-TLS13-1-2-Ext2-2021-06': BOTH,
  'ELBSecurityPolicy-TLS13-1-3-2021-06': ONLY_3,
}

export const versionsOf = (policy: string): Versions | undefined =>
  Object.hasOwn(POLICIES, policy) ? POLICIES[policy] : undefined

export const describeSslPolicies = (): SslPolicy[] =>
  Object.entries(POLICIES).map(([Name, { minVersion, maxVersion }]) => ({
    Name,
    SslProtocols: ['1.2', '1.3']
      .filter((version) => version >= minVersion && version <= maxVersion)
      .map((version) => `TLSv${version}`),
    Ciphers: [],
    SupportedLoadBalancerTypes: ['application'],
  }))
