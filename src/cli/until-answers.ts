// Waits until a server that was just started answers, and says why it does not.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Supervisor } from '../engines/supervisor/engine.ts'
import type { HomeSettings } from '../home.ts'
import { systemClock } from '../kernel/clock.ts'
import { readFileIfAny } from '../kernel/files.ts'
import type { Service } from '../service/service.ts'
import { Failure } from './failure.ts'
import { note } from './output.ts'
import { answers } from './start-server.ts'

/** Who keeps the server running. */
export type Keeper = {
  /** The sentences with which it ended since `from` (epoch ms), one for each time it was started. */
  complaints(from: number): Promise<string[]>
  /** It will not be started any more. */
  hasGivenUp(): Promise<boolean>
  giveUp(): Promise<void>
  /** Where a person reads what it says. */
  log: string
}

export const keptBySupervisor = (homeDir: string, supervisor: Supervisor): Keeper => ({
  async complaints(from) {
    const log = readFileIfAny(`${homeDir}/log/server/current`) ?? ''
    // svlogd's stamp: 2026-11-24_00:21:07.40350
    return [...log.matchAll(/^(\S{10})_(\S{12})\d* polebean: (.*)$/gm)]
      .filter(([, day, time]) => Date.parse(`${day}T${time}Z`) >= from)
      .map(([, , , text]) => text!)
  },
  hasGivenUp: async () => false,
  giveUp: () => supervisor.stop('server'),
  log: `${homeDir}/log/server/current`,
})

export const keptByService = (service: Service): Keeper => ({
  complaints: async (from) =>
    (await service.said(from)).flatMap((line) => /^polebean: (.*)$/.exec(line)?.[1] ?? []),
  hasGivenUp: async () => (await service.state()).active === 'failed',
  giveUp: () => service.stop(),
  log: `journalctl -u ${service.name}`,
})

// A small machine that is busy takes a minute; one where it hangs is told so meanwhile.
const START_TIMEOUT_MS = 180_000
const SLOW_MS = 30_000
const COMPLAINTS = 3

/** Throws a Failure with the server's own sentence when it ends again and again; it is not started any more then. */
export async function untilAnswers(home: HomeSettings, keeper: Keeper, from: number): Promise<void> {
  const startedAt = systemClock.monotonic()
  let told = false
  while (!(await answers(home.dir))) {
    const said = await keeper.complaints(from)
    if (said.length >= COMPLAINTS || (said.length > 0 && (await keeper.hasGivenUp()))) {
      // Or it would be started for ever.
      await keeper.giveUp()
      throw new Failure(`Polebean does not start: ${said.at(-1)}`)
    }
    const waitedMs = systemClock.monotonic() - startedAt
    if (waitedMs > SLOW_MS && !told) note(`It does not answer yet; its log: ${keeper.log}`)
    told = waitedMs > SLOW_MS
    if (waitedMs > START_TIMEOUT_MS)
      throw new Failure(
        `Polebean did not start within ${START_TIMEOUT_MS / 1000} seconds; its log: ${keeper.log}`,
      )
    await sleep(100)
  }
}
