// Listing by prefix and delimiter over keys in UTF-8 order, one index seek for each common prefix, not for each key.

/** Where to read on. With an `id`: behind that one of the several items of the key (uploads). */
export type Bound = { key: string; id?: string | undefined; included: boolean }
export type Page<T> = { items: T[]; prefixes: string[]; truncated: boolean; last: string }

type Options = {
  prefix: string
  delimiter: string
  after: string
  afterId?: string | undefined
  entriesMax: number
}

/** `read` answers at most `limit` items in order of key and id, from a bound on. Entries are items and common prefixes
 *  together. */
export function listPage<T extends { key: string; id?: string }>(
  read: (from: Bound, limit: number) => T[],
  options: Options,
): Page<T> {
  const { prefix, delimiter, after, entriesMax } = options
  const page: Page<T> = { items: [], prefixes: [], truncated: false, last: '' }
  const count = () => page.items.length + page.prefixes.length
  const prefixOf = (key: string): string | undefined => {
    const at = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length)
    return at < 0 ? undefined : key.slice(0, at + delimiter.length)
  }
  if (entriesMax === 0) return page

  let from: Bound | undefined = { key: prefix, included: true }
  if (after !== '' && Buffer.compare(Buffer.from(after), Buffer.from(prefix)) >= 0)
    // A marker that is a common prefix stands for all the keys below it.
    from =
      after.startsWith(prefix) && prefixOf(after) === after
        ? behind(after)
        : { key: after, id: options.afterId, included: false }

  while (from) {
    const items = read(from, entriesMax - count() + 1)
    const first: T | undefined = items[0]
    if (first === undefined) return page
    const { key, id } = items.at(-1)!
    let next: Bound | undefined = { key, id, included: false }
    for (const item of items) {
      if (!item.key.startsWith(prefix)) return page
      if (count() === entriesMax) return { ...page, truncated: true }
      const common = prefixOf(item.key)
      page.last = common ?? item.key
      if (common === undefined) {
        page.items.push(item)
        continue
      }
      page.prefixes.push(common)
      next = behind(common)
      break
    }
    from = next
  }
  return page
}

/** The first bound behind every key that starts with `prefix`, by the order of code points, which is that of UTF-8. */
function behind(prefix: string): Bound | undefined {
  const points = Array.from(prefix, (letter) => letter.codePointAt(0)!)
  while (points.length > 0) {
    const last = points.pop()!
    if (last === 0x10ffff) continue
    // The code points 0xd800 to 0xdfff are halves of others and no text.
    const next = last === 0xd7ff ? 0xe000 : last + 1
    return { key: String.fromCodePoint(...points, next), included: true }
  }
  return undefined
}

/** `encoding-type=url`: like a form's encoding, but `/` and `*` stay (as S3 answers; MinIO's s3URLEncode says the same). */
export const urlEncode = (text: string): string =>
  encodeURIComponent(text)
    .replaceAll('%20', '+')
    .replaceAll('%2F', '/')
    .replace(/[!'()~]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`)
