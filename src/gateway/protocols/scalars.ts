// Text ⇄ the simple values of the model. Readers answer undefined for text that is not one.
import type { SimpleShape, TimestampFormat } from '../model.ts'

export type Scalar = string | number | boolean | Date | Uint8Array

export function readScalar(shape: SimpleShape, text: string): Scalar | undefined {
  switch (shape.type) {
    case 'string':
      return text
    case 'integer':
      return readInteger(text)
    case 'double':
      return DOUBLE.test(text) ? Number(text) : undefined
    case 'boolean':
      return readBoolean(text)
    case 'timestamp':
      return readTimestamp(text)
    case 'blob':
    case 'stream':
      return BASE64.test(text) ? Buffer.from(text, 'base64') : undefined
  }
}

/** `fallback` is the format of the place where the value stands: date-time in bodies, http-date in headers. */
export function writeScalar(shape: SimpleShape, value: unknown, fallback: TimestampFormat): string {
  switch (shape.type) {
    case 'string':
      return typeof value === 'string' ? value : String(value)
    case 'timestamp':
      return writeTimestamp(value as Date, shape.format === 'default' ? fallback : shape.format)
    case 'blob':
    case 'stream':
      return Buffer.from(value as Uint8Array).toString('base64')
    default:
      return String(value)
  }
}

/** What a reader wants to be told that it should have sent. */
export const nameOfScalar = (shape: SimpleShape): string =>
  shape.type === 'blob' || shape.type === 'stream' ? 'base64 text' : shape.type

const INTEGER = /^[+-]?\d{1,16}$/
const DOUBLE = /^[+-]?\d{1,20}(\.\d{1,20})?([eE][+-]?\d{1,3})?$/
const BASE64 = /^[A-Za-z0-9+/\s]*={0,2}\s*$/
const DATE_TIME = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(\.\d{1,9})?)?)?(Z|[+-]\d\d:?\d\d)?$/i
const EPOCH = /^-?\d{1,11}(\.\d{1,9})?$/

// What is out of JavaScript's range is out of every range that AWS has for a member of a request.
function readInteger(text: string): number | undefined {
  const value = INTEGER.test(text) ? Number(text) : Number.NaN
  return Number.isSafeInteger(value) ? value : undefined
}

function readBoolean(text: string): boolean | undefined {
  const lower = text.toLowerCase()
  if (lower === 'true' || lower === '1') return true
  if (lower === 'false' || lower === '0') return false
  return undefined
}

// Clients write date-time in bodies (Python with microseconds) and HTTP dates in headers; some write epoch seconds.
function readTimestamp(text: string): Date | undefined {
  const parts = DATE_TIME.exec(text)
  if (parts) return readDateTime(parts)
  if (EPOCH.test(text)) return new Date(Math.round(Number(text) * 1000))
  const time = /^[A-Z][a-z]{2,8}, /.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(time) ? undefined : new Date(time)
}

function readDateTime(parts: RegExpExecArray): Date | undefined {
  const [year, month, day, hour, minute, second] = parts.slice(1, 7).map((part) => Number(part ?? 0))
  const time = Date.UTC(
    year!,
    month! - 1,
    day,
    hour,
    minute,
    second,
    Math.floor(Number(parts[7] ?? 0) * 1000),
  )
  const date = new Date(time)
  // Date.UTC carries 30 February over into March.
  if (date.getUTCDate() !== day || date.getUTCMonth() !== month! - 1 || hour! > 23 || minute! > 59)
    return undefined
  const zone = parts[8] ?? 'Z'
  if (zone.toUpperCase() === 'Z') return date
  const offset = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2))
  return new Date(time - (zone.startsWith('-') ? -offset : offset) * 60_000)
}

function writeTimestamp(value: Date, format: TimestampFormat): string {
  if (format === 'http-date') return value.toUTCString()
  if (format === 'epoch-seconds') return String(value.getTime() / 1000)
  return value.toISOString()
}
