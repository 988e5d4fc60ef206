// A supervisor in memory. The world outlives the control plane: a new life makes a new Supervisor on the same world.
import type { Clock } from '../../kernel/clock.ts'
import { EngineError } from '../../kernel/errors.ts'
import type { Service, Supervisor } from './engine.ts'
import { renderRunScript } from './run-script.ts'

export type SupervisorFault = 'error before' | 'error after' | 'cannot see'

export type FakeSupervisorWorld = {
  engine(): Supervisor
  /** The daemon dies; it is back `RETURN_MS` later. False when it did not run. */
  kill(name: string): boolean
  /** The machine starts anew: nothing runs, nothing is supervised. */
  reboot(): void
  service(name: string): Service | undefined
  signals: { name: string; signal: string }[]
  /** Asked before each call; what it answers goes wrong. */
  fault: (call: string) => SupervisorFault | undefined
  latencyMs: number
}

type Daemon = { service: Service; pid: number; since: number }

export function makeFakeSupervisorWorld(clock: Clock): FakeSupervisorWorld {
  const daemons = new Map<string, Daemon>()
  let lastPid = 1_000
  const start = (service: Service, since: number) =>
    daemons.set(service.name, { service, pid: ++lastPid, since })

  const call = async <T>(what: string, effect: () => T): Promise<T> => {
    if (world.latencyMs > 0) await clock.sleep(world.latencyMs)
    const fault = world.fault(what)
    if (fault === 'error before' || fault === 'cannot see') throw new EngineError(`${what}: ${fault}`)
    const answer = effect()
    if (fault === 'error after') throw new EngineError(`${what}: ${fault}`)
    return answer
  }

  const engine = (): Supervisor => ({
    ensure: (service) =>
      call('ensure', () => {
        const script = renderRunScript(service) // checks it as the real one does
        const running = daemons.get(service.name)
        if (running && renderRunScript(running.service) === script) return
        start(service, clock.now())
      }),
    stop: (name) => call('stop', () => void daemons.delete(name)),
    remove: (name) => call('remove', () => void daemons.delete(name)),
    list: () =>
      call('list', () =>
        [...daemons.values()].map(({ service, pid, since }) => {
          const running = clock.now() >= since
          const sinceSeconds = Math.max(0, Math.floor((clock.now() - since) / 1000))
          return { name: service.name, running, pid: running ? pid : null, sinceSeconds }
        }),
      ),
    signal: (name, signal) =>
      call('signal', () => {
        if (!daemons.has(name)) throw new EngineError(`${name} does not run`)
        world.signals.push({ name, signal })
      }),
    shutdown: () => call('shutdown', () => daemons.clear()),
  })

  const world: FakeSupervisorWorld = {
    engine,
    kill: (name) => {
      const daemon = daemons.get(name)
      if (daemon) start(daemon.service, clock.now() + RETURN_MS)
      return daemon !== undefined
    },
    reboot: () => daemons.clear(),
    service: (name) => daemons.get(name)?.service,
    signals: [],
    fault: () => undefined,
    latencyMs: 0,
  }
  return world
}

const RETURN_MS = 1_000
