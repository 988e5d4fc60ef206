export type Deed = { deed: string; [name: string]: unknown }
export function standing(text: string): Deed[]
export function note(ledger: string, entry: Deed): void
