// Tokens of pages of groups and streams: what the page before ended with.
import { badToken } from './errors.ts'

export const tokenOf = (...parts: (string | number)[]): string =>
  Buffer.from(JSON.stringify(parts)).toString('base64url')

/** As many parts as a token of that operation has. @throws DeclaredError */
export function partsOf(token: string, count: number): unknown[] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(token, 'base64url').toString())
    if (Array.isArray(parts) && parts.length === count) return parts
  } catch {
    // it is none of ours
  }
  throw badToken()
}
