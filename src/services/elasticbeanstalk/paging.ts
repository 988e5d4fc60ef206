// Pages by an opaque token: the key of the last row that was shown. Rows that come or go meanwhile shift nothing.
import { invalidValue } from './validation.ts'

export type PageLimits = {
  token: string | undefined
  /** undefined = everything on one page. */
  pageMax: number | undefined
}

/** The rows from the highest key down; keys are unique. @throws DeclaredError for a token that was not made here. */
export function pageOf<T>(rows: T[], keyOf: (row: T) => string, { token, pageMax }: PageLimits) {
  const before = token === undefined ? undefined : keyOfToken(token)
  const keyed = rows
    .map((row) => ({ row, key: keyOf(row) }))
    .filter(({ key }) => before === undefined || key < before)
    .toSorted((a, b) => (a.key > b.key ? -1 : 1))
  const page = keyed.slice(0, pageMax)
  const last = page.at(-1)
  const next = last && page.length < keyed.length ? tokenOf(last.key) : undefined
  return { rows: page.map(({ row }) => row), ...(next === undefined ? {} : { NextToken: next }) }
}

/** A key by which the newest comes first. */
export const newestFirst = (createdAt: number, id: string) => `${String(createdAt).padStart(15, '0')} ${id}`

export const invalidToken = () => invalidValue('The specified NextToken is invalid.')

const tokenOf = (key: string) => Buffer.from(`k:${key}`).toString('base64url')

function keyOfToken(token: string): string {
  const text = Buffer.from(token, 'base64url').toString()
  if (!text.startsWith('k:')) throw invalidToken()
  return text.slice(2)
}
