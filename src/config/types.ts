// What the value of a setting may be: each type says it for people, and reads what YAML made of the text.
import { isIP } from 'node:net'

export type Read<T> = { value: T } | { wrong: string }

export type ValueType<T> = {
  /** What may stand there: completes "must be …". */
  said: string
  read(value: unknown): Read<T>
  /** The value as people write it, where that is not the value itself. */
  show?(value: T): unknown
}

const wrong = (said: string): { wrong: string } => ({ wrong: `must be ${said}` })

/** A whole number, both limits included; `what` it is, where that says more. */
export function integer(limits: { min: number; max: number; what?: string }): ValueType<number> {
  const { min, max, what = 'a whole number' } = limits
  const said = `${what} from ${min} to ${max}`
  return {
    said,
    read: (value) =>
      Number.isInteger(value) && (value as number) >= min && (value as number) <= max
        ? { value: value as number }
        : wrong(said),
  }
}

/** Any number between the two, both included. */
export function decimal({ min, max }: { min: number; max: number }): ValueType<number> {
  const said = `a number from ${min} to ${max}`
  return {
    said,
    read: (value) => (typeof value === 'number' && value >= min && value <= max ? { value } : wrong(said)),
  }
}

export const port: ValueType<number> = integer({ min: 1, max: 65_535, what: 'a port' })

export const boolean: ValueType<boolean> = {
  said: 'true or false',
  read: (value) => (typeof value === 'boolean' ? { value } : wrong('true or false')),
}

export function oneOf<const T extends string>(values: readonly T[]): ValueType<T> {
  const said = `one of ${values.join(', ')}`
  return {
    said,
    read: (value) => {
      const found = values.find((one) => one === value)
      return found === undefined ? wrong(said) : { value: found }
    },
  }
}

/** Text that `isValid` accepts; `said` says which. */
export const text = (said: string, isValid: (value: string) => boolean): ValueType<string> => ({
  said,
  read: (value) => (typeof value === 'string' && isValid(value) ? { value } : wrong(said)),
})

/** `null` as well, which `meaning` explains. */
export const orNull = <T>(type: ValueType<T>, meaning: string): ValueType<T | null> => {
  const said = `${type.said}, or null (${meaning})`
  return {
    said,
    read(value) {
      if (value === null) return { value }
      const read = type.read(value)
      return 'wrong' in read ? wrong(said) : read
    },
    show: (value) => (value === null || !type.show ? value : type.show(value)),
  }
}

/** Each once, `entriesMax` at most. */
export function list<T>(type: ValueType<T>, entriesMax: number): ValueType<readonly T[]> {
  const said = `a list of at most ${entriesMax}, each ${type.said}`
  return {
    said,
    read(value) {
      if (!Array.isArray(value) || value.length > entriesMax) return wrong(said)
      const values: T[] = []
      for (const entry of value) {
        const read = type.read(entry)
        if ('wrong' in read) return read.wrong === wrong(type.said).wrong ? wrong(said) : read
        if (values.includes(read.value)) return { wrong: `names ${JSON.stringify(entry)} twice` }
        values.push(read.value)
      }
      return { value: values }
    },
  }
}

/** An address that a program may listen on for others, in the one way in which it is written (RFC 5952). */
export const address: ValueType<string> = {
  said: 'an IPv4 or IPv6 address, without port and brackets',
  read(value) {
    const version = typeof value === 'string' ? isIP(value) : 0
    if (typeof value !== 'string' || version === 0) return wrong(address.said)
    const canonical = version === 4 ? value : new URL(`http://[${value.split('%')[0]}]`).hostname.slice(1, -1)
    if (/^127\.|^::1$/.test(canonical)) return { wrong: 'names a loopback address, which is always there' }
    if (/^::ffff:|^fe[89ab]/.test(canonical))
      return { wrong: 'names a link-local address, or an IPv4 address as one of IPv6' }
    return { value: canonical }
  },
}

const BYTES = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 }

/** An amount of bytes: `500 MiB`, `20 GiB`; read as a number of bytes. */
export function bytes({ min }: { min: number }): ValueType<number> {
  return amount('an amount like 500 MiB or 20 GiB', BYTES, min)
}

const SECONDS = { s: 1, min: 60, h: 3_600, d: 86_400 }

/** A length of time: `90 s`, `24 h`, `7 d`; read as a number of seconds. */
export function duration({ minSeconds }: { minSeconds: number }): ValueType<number> {
  return amount('a time like 30 min, 24 h or 7 d', SECONDS, minSeconds)
}

function amount(said: string, units: Record<string, number>, min: number): ValueType<number> {
  const [smallest] = Object.keys(units)
  const full = `${said}, at least ${min} ${smallest}`
  return {
    said: full,
    read(value) {
      const [, digits, unit = ''] = /^(\d{1,9}(?:\.\d{1,3})?) ?([A-Za-z]+)$/.exec(String(value)) ?? []
      const factor = Object.hasOwn(units, unit) ? units[unit] : undefined
      if (typeof value !== 'string' || digits === undefined || factor === undefined) return wrong(full)
      const total = Math.round(Number(digits) * factor)
      return total >= min ? { value: total } : wrong(full)
    },
    show(total) {
      const even = Object.entries(units).filter(([, factor]) => total >= factor && total % factor === 0)
      const [unit, factor] = even.at(-1) ?? [smallest, 1]
      return `${total / factor} ${unit}`
    },
  }
}
