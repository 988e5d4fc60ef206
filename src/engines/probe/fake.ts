// Probes of a world in memory: whoever is not said to be down answers.
import type { ProbeEngine } from './engine.ts'

export type FakeProbes = ProbeEngine & {
  /** `host:port` of who does not answer. */
  down: Set<string>
}

export function makeFakeProbes(): FakeProbes {
  const down = new Set<string>()
  return {
    down,
    probe: async ({ host, port }) =>
      down.has(`${host}:${port}`)
        ? { ok: false, told: 'Failure: connection refused' }
        : { ok: true, told: 'Success: HTTP Status Code 200, OK' },
  }
}
