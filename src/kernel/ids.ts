// Ids in AWS's forms, made from the Random that is handed in.
import type { Random } from './random.ts'

const HEX = '0123456789abcdef'
const LOWER = 'abcdefghijklmnopqrstuvwxyz0123456789'
const UPPER = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'

export type Ids = {
  /** `prefix` and `length` hexadecimal digits: EC2's form, e.g. `hex('i-', 17)`. */
  hex(prefix: string, length: number): string
  /** `prefix` and `length` of [a-z0-9]: Beanstalk's form, e.g. `lower('e-', 10)`. */
  lower(prefix: string, length: number): string
  /** `prefix` and `length` of [A-Z0-9]: CloudFormation's suffixes, access key ids. */
  upper(prefix: string, length: number): string
  /** A version 4 UUID (RFC 9562): request ids, activity ids. */
  uuid(): string
}

export function makeIds(random: Random): Ids {
  const draw = (alphabet: string, length: number) =>
    Array.from({ length }, () => alphabet[Math.floor(random.next() * alphabet.length)]).join('')
  return {
    hex: (prefix, length) => prefix + draw(HEX, length),
    lower: (prefix, length) => prefix + draw(LOWER, length),
    upper: (prefix, length) => prefix + draw(UPPER, length),
    uuid() {
      const word = () => hex32(Math.floor(random.next() * 2 ** 32))
      const [a, b, c, d] = [word(), word(), word(), word()]
      const variant = '89ab'[Number.parseInt(c[0]!, 16) & 3]
      return `${a}-${b.slice(0, 4)}-4${b.slice(5)}-${variant}${c.slice(1, 4)}-${c.slice(4)}${d}`
    },
  }
}

const hex32 = (value: number) => value.toString(16).padStart(8, '0')
