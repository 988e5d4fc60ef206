// A control plane for instance.real.test.ts to kill: launches the instance that it is given, and says when it begins.
import { systemClock } from '../../kernel/clock.ts'
import type { Home } from '../../kernel/home.ts'
import { silentLog } from '../../kernel/log.ts'
import { makeRouter } from '../network/router.ts'
import type { InstanceSpec } from './engine.ts'
import { makeRunc } from './runc.ts'

const { home, spec } = JSON.parse(process.argv[2] ?? '') as { home: Home; spec: InstanceSpec }
const compute = makeRunc({ home, router: makeRouter(home), clock: systemClock, log: silentLog, zones: ['a'] })
await compute.list()
process.stdout.write('launching\n')
await compute.launch(spec)
