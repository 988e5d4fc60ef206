// The ledger of changes to the machine, which `npm run setup` begins (tools/setup): a line before each deed, so that
// whoever removes Polebean knows what to undo.
import { appendFileSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { systemClock } from '../kernel/clock.ts'

export const LEDGER = '/var/lib/polebean-setup/ledger.jsonl'

export type Deed =
  | { deed: 'write file' | 'remove file'; path: string }
  | { deed: 'enable unit' | 'disable unit'; unit: string }

export function noteDeed(deed: Deed, ledger = LEDGER): void {
  mkdirSync(dirname(ledger), { recursive: true })
  appendFileSync(ledger, `${JSON.stringify({ at: new Date(systemClock.now()).toISOString(), ...deed })}\n`)
}
