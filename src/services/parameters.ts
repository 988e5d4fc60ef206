// What several services do with the members of a request: refuse those without effect, cut answers into pages.
import type { DeclaredError } from '../kernel/errors.ts'

/** Throws `refuse(member)` for the first member that is set and not in `known`. Empty values say nothing and pass. */
export function refuseOthers<I extends object>(
  input: I,
  known: readonly (keyof I)[],
  refuse: (member: string) => DeclaredError,
): void {
  for (const [member, value] of Object.entries(input)) {
    if (!isEmpty(value) && !known.includes(member as keyof I)) throw refuse(member)
  }
}

export type Page<T> = { items: T[]; next: string | undefined }

/** How an operation pages: the size of a page when the caller names none, the sizes it may name, its refusals. */
export type Paging = {
  fallback: number
  least: number
  most: number
  badSize(size: number): DeclaredError
  badToken(): DeclaredError
}

/** One page of `items`, ordered by `keyOf` (unique). `token` is what the page before answered as `next`. */
export function pageOf<T>(
  items: T[],
  keyOf: (item: T) => string,
  asked: { token: string | undefined; max: number | undefined },
  paging: Paging,
): Page<T> {
  const size = asked.max ?? paging.fallback
  if (size < paging.least || size > paging.most) throw paging.badSize(size)
  const keyed = items.map((item) => ({ key: keyOf(item), item })).sort((a, b) => (a.key < b.key ? -1 : 1))
  const after = asked.token ? keyOfToken(asked.token) : ''
  if (after === undefined) throw paging.badToken()
  const rest = asked.token ? keyed.filter(({ key }) => key > after) : keyed
  const page = rest.slice(0, size)
  const last = page.at(-1)
  const next = last && rest.length > page.length ? tokenOfKey(last.key) : undefined
  return { items: page.map(({ item }) => item), next }
}

const isEmpty = (value: unknown) =>
  value === undefined ||
  value === null ||
  value === false ||
  value === '' ||
  (Array.isArray(value) && value.length === 0)

const tokenOfKey = (key: string) => Buffer.from(`1:${key}`).toString('base64url')

function keyOfToken(token: string): string | undefined {
  const text = Buffer.from(token, 'base64url').toString()
  return text.startsWith('1:') ? text.slice(2) : undefined
}
