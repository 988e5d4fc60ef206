export function uninstall(options: {
  yes: boolean
  /** Folders that may be homes, beyond those that claim ports. */
  homes?: string[]
  machine?: unknown
  say(text: string): void
}): Promise<{ undone: string[]; kept: string[] }>
/** Sentences about what stays that no ledger names. */
export const STAYS: string[]
