// The user that HAProxy drops root for.
import { readFileIfAny } from '../../kernel/files.ts'

/** null when this machine has no user and group of that name. */
export function userIfAny(name: string): { name: string; group: string } | null {
  const has = (file: string) => new RegExp(`^${name}:`, 'm').test(readFileIfAny(file) ?? '')
  return has('/etc/passwd') && has('/etc/group') ? { name, group: name } : null
}
