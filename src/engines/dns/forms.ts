// The forms of names and of values, as zone files have them (RFC 1035 §5). Nothing else reaches a name server. Pure.
import { isIPv4, isIPv6 } from 'node:net'

export const RECORD_TYPES = ['A', 'AAAA', 'CAA', 'CNAME', 'MX', 'NS', 'PTR', 'SOA', 'SRV', 'TXT'] as const
export type RecordType = (typeof RECORD_TYPES)[number]

/** RFC 1035 §2.3.4. */
const NAME_LENGTH_MAX = 255

/** Labels of up to 63 characters; an asterisk is one alone, and the first (RFC 4592). */
export const isName = (name: string): boolean =>
  name.length <= NAME_LENGTH_MAX - 2 &&
  /^(\*\.)?([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$/.test(name)

const isTarget = (text: string) =>
  /\.$/.test(text) && (text === '.' || isName(text.slice(0, -1).toLowerCase()))
const isNumber = (text: string, most: number) => /^(0|[1-9]\d{0,9})$/.test(text) && Number(text) <= most
const words = (text: string, count: number): string[] | undefined => {
  const all = text.split(' ')
  return all.length === count ? all : undefined
}

/** RFC 1035 §3.3.14: strings in quotes of up to 255 bytes, with a backslash before a quote or a backslash, or three decimal digits. */
const isTexts = (text: string): boolean => {
  const strings = text.match(/^"(?:[^"\\]|\\["\\]|\\[0-2]\d\d)*"(?: "(?:[^"\\]|\\["\\]|\\[0-2]\d\d)*")*$/)
  if (!strings || !/^[ -~]*$/.test(text) || text.length > 16_000) return false
  const parts = [...text.matchAll(/"((?:[^"\\]|\\["\\]|\\[0-2]\d\d)*)"/g)].map(([, part = '']) => part)
  return parts.every(
    (part) =>
      part.replaceAll(/\\(\d{3}|.)/g, 'x').length <= 255 &&
      [...part.matchAll(/\\(\d{3})/g)].every(([, code]) => Number(code) <= 255),
  )
}

/** Whether it is a value of the type, as zone files have it: names with the point at the end, texts in quotes. */
export const isValueOf = (type: RecordType, value: string): boolean => FORMS[type](value)

const FORMS: Record<RecordType, (value: string) => boolean> = {
  A: isIPv4,
  AAAA: (value) => isIPv6(value) && !value.includes('%'),
  CNAME: isTarget,
  NS: isTarget,
  PTR: isTarget,
  TXT: isTexts,
  MX: (value) => {
    const [preference = '', exchange = ''] = words(value, 2) ?? []
    return isNumber(preference, 65_535) && isTarget(exchange)
  },
  SRV: (value) => {
    const [priority = '', weight = '', port = '', target = ''] = words(value, 4) ?? []
    return [priority, weight, port].every((one) => isNumber(one, 65_535)) && isTarget(target)
  },
  CAA: (value) => {
    const [, flags = '', tag = '', text = ''] = /^(\d+) ([a-z0-9]{1,15}) (".*")$/.exec(value) ?? []
    return isNumber(flags, 255) && tag !== '' && isTexts(text) && !text.includes('" "')
  },
  SOA: (value) => {
    const [primary = '', mailbox = '', ...numbers] = words(value, 7) ?? []
    return isTarget(primary) && isTarget(mailbox) && numbers.every((one) => isNumber(one, 4_294_967_295))
  },
}

/** What may become code: of these forms, no text can end its quotes. */
export const CHOSEN: Partial<Record<RecordType, (value: string) => boolean>> = {
  A: isIPv4,
  AAAA: FORMS.AAAA,
  CNAME: (value) => value !== '.' && isTarget(value),
}
