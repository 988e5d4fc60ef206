// What a home takes of its disk: shown by `status`, and freed by `prune`.
import { setTimeout as sleep } from 'node:timers/promises'
import { sizeText } from '../../kernel/space.ts'
import type { Pruned, RoomReport } from '../../services/elasticbeanstalk/room/report.ts'
import { openApi, type Api } from '../client.ts'
import { Failure } from '../failure.ts'
import { note, paint, print, printJson, printTable } from '../output.ts'

export const readRoom = async (api: Api): Promise<RoomReport> =>
  JSON.parse(await api.get('/polebean/room')) as RoomReport

export function printRoom({ disk, kinds }: RoomReport): void {
  const { freeBytes, totalBytes, leastFreeBytes, low } = disk
  print(`Disk of the home: ${sizeText(freeBytes)} of ${sizeText(totalBytes)} free`)
  if (low)
    print(
      paint(
        'WARN',
        `  below ${sizeText(leastFreeBytes)}: uploads and builds are refused until there is room`,
      ),
    )
  print('')
  printTable(
    ['KIND', 'USES', 'BUDGET', 'UNUSED', ''],
    kinds.map((one) => [
      one.kind,
      sizeText(one.bytes),
      one.budgetBytes === null ? '-' : sizeText(one.budgetBytes),
      sizeText(one.unusedBytes),
      one.note,
    ]),
  )
}

export async function prune(homeDir: string, options: { json?: boolean; dryRun?: boolean }): Promise<void> {
  const api = openApi(homeDir)
  const dryRun = options.dryRun === true
  const pruned = JSON.parse(await api.post(`/polebean/prune${dryRun ? '?dry-run=true' : ''}`)) as Pruned
  if (!dryRun) await untilRemoved(api)
  if (options.json) return printJson(pruned)
  const found = pruned.kinds.filter(({ count }) => count > 0)
  if (found.length === 0) print('There is nothing that nothing uses.')
  for (const { kind, count, bytes } of found)
    print(`${dryRun ? 'Would remove' : 'Removed'} ${count} of ${kind}: ${sizeText(bytes)}`)
  const bundles = (await readRoom(api)).kinds.find(({ kind }) => kind === 'bundles')
  if (bundles && bundles.unusedBytes > 0)
    note(
      `${sizeText(bundles.unusedBytes)} more are bundles of versions that are deployed nowhere. They are yours: delete ` +
        'versions with aws elasticbeanstalk delete-application-version --delete-source-bundle.',
    )
}

/** The server removes them on its own, also when we stop waiting. */
async function untilRemoved(api: Api): Promise<void> {
  for (const end = performance.now() + REMOVAL_MS; performance.now() < end; await sleep(200)) {
    const caches = (await readRoom(api)).kinds.find(({ kind }) => kind === 'caches')
    if (!caches || caches.unusedBytes === 0) return
  }
  throw new Failure('what nothing uses is marked, but not removed yet; see: polebean status')
}

const REMOVAL_MS = 120_000
