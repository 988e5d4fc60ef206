// What the service does to the machine, as lines of setup's ledger, so that whoever removes Polebean knows what to undo.
import { note } from '../../tools/setup/ledger.mjs'

export const LEDGER = '/var/lib/polebean-setup/ledger.jsonl'

export type Deed =
  | { deed: 'write file' | 'remove file'; path: string }
  | { deed: 'enable unit' | 'disable unit'; unit: string }

/** Before each deed. */
export const noteDeed = (deed: Deed, ledger = LEDGER): void => note(ledger, deed)
