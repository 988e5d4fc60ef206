// Values of records, from what callers write to what a name server is told (zone files, RFC 1035 §5). Pure.
import { isIPv6 } from 'node:net'
import { isValueOf, type RecordType } from '../../engines/dns/engine.ts'

/** AWS: a value has up to 4,000 characters. */
export const VALUE_LENGTH_MAX = 4_000

/** Undefined for what is no value of the type. */
export function readValue(type: RecordType, text: string): string | undefined {
  if (text.length > VALUE_LENGTH_MAX || !/^[ -~\t]*$/.test(text)) return undefined
  const value = READERS[type]?.(text) ?? text
  if (!isValueOf(type, value)) return undefined
  return type in HOSTS && !HOSTS[type]!.test(value) ? undefined : value
}

/** What AWS says of a value that is none. */
export const problemOf = (type: RecordType, text: string): string =>
  `Invalid Resource Record: 'FATAL problem: ${PROBLEMS[type]} encountered with '${text.slice(0, 200)}''`

/** One spelling for each address; those of IPv4 in another dress are none for a name server. */
const canonical = (text: string) =>
  isIPv6(text) && !text.includes('.') && !text.includes('%')
    ? new URL(`http://[${text}]`).hostname.slice(1, -1)
    : ''
const absolute = (name: string) => (name.endsWith('.') ? name : `${name}.`)
const lastAbsolute = (text: string) => {
  const words = text.trim().split(/[ \t]+/)
  return [...words.slice(0, -1), absolute(words.at(-1) ?? '')].join(' ')
}

/** What a name server takes as the target of these: a host name (RFC 952, 1123), or of MX and SRV none. */
const HOST = '([a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?\\.)+'
const HOSTS: Partial<Record<RecordType, RegExp>> = {
  NS: new RegExp(`^${HOST}$`),
  MX: new RegExp(`^\\d+ (${HOST}|\\.)$`),
  SRV: new RegExp(`^\\d+ \\d+ \\d+ (${HOST}|\\.)$`),
  CNAME: /^[^.]/,
  PTR: /^[^.]/,
}

const READERS: Partial<Record<RecordType, (text: string) => string>> = {
  AAAA: canonical,
  CNAME: absolute,
  NS: absolute,
  PTR: absolute,
  MX: lastAbsolute,
  SRV: lastAbsolute,
  TXT: readTexts,
  CAA: (text) => readTexts(text.trim().replace(/^(\d+)[ \t]+([a-z0-9]+)[ \t]+/, '$1 $2 ')),
  SOA(text) {
    const [primary = '', mailbox = '', ...numbers] = text.trim().split(/[ \t]+/)
    return [absolute(primary), absolute(mailbox), ...numbers].join(' ')
  },
}

/** Route 53 writes bytes as three octal digits, zone files as three decimal ones. */
function readTexts(text: string): string {
  if (text.replaceAll(ESCAPED, '').includes('\\')) return ''
  return text
    .trim()
    .replaceAll(/"[ \t]+"/g, '" "')
    .replaceAll(ESCAPED, (whole, what: string) =>
      what.length === 3 ? `\\${String(Number.parseInt(what, 8)).padStart(3, '0')}` : whole,
    )
}

const ESCAPED = /\\([0-3][0-7]{2}|["\\])/g

const PROBLEMS: Record<RecordType, string> = {
  A: 'ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address)',
  AAAA: 'AAAARRDATAIllegalIPv6Address (Value is not a valid IPv6 address)',
  CAA: 'CAARRDATAIllegal (Value must be flags, a tag and a value in quotation marks)',
  CNAME: 'DomainNameIllegal (Value is not a valid domain name)',
  MX: 'MXRRDATANotTwoFields (Value must be a preference and a domain name)',
  NS: 'DomainNameIllegal (Value is not a valid domain name)',
  PTR: 'DomainNameIllegal (Value is not a valid domain name)',
  SOA: 'SOARRDATANotSevenFields (Value must have seven fields)',
  SRV: 'SRVRRDATANotFourFields (Value must be priority, weight, port and a domain name)',
  TXT: 'InvalidCharacterString (Value should be strings of up to 255 characters, each enclosed in quotation marks)',
}
