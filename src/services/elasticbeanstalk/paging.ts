// Pages by an opaque token: the offset into an order that only grows at its end.
import { invalidValue } from './validation.ts'

/** `pageMax` undefined = everything on one page. */
export function pageOf<T>(rows: T[], token: string | undefined, pageMax: number | undefined) {
  const offset = token === undefined ? 0 : offsetOf(token)
  const end = pageMax === undefined ? rows.length : offset + pageMax
  const next = end < rows.length ? Buffer.from(`o${end}`).toString('base64url') : undefined
  return { rows: rows.slice(offset, end), ...(next === undefined ? {} : { NextToken: next }) }
}

function offsetOf(token: string): number {
  const match = /^o(\d{1,9})$/.exec(Buffer.from(token, 'base64url').toString())
  if (!match) throw invalidValue('The specified NextToken is invalid.')
  return Number(match[1])
}
