// The machine's own file: what getaddrinfo makes of it.
import { systemClock as clock } from '../../kernel/clock.ts'
import { makeIds } from '../../kernel/ids.ts'
import { systemRandom } from '../../kernel/random.ts'
import { describeHosts } from './conformance.ts'
import { makeEtcHosts } from './etc-hosts.ts'

describeHosts('/etc/hosts', () => makeEtcHosts({ clock, id: makeIds(systemRandom).lower('', 6) }))
