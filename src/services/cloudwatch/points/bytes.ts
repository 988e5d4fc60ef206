// Numbers as few bytes: columns of alike numbers take one or two bytes each.

export type Reader = { bytes: Uint8Array; at: number }

const CONSTANT = 0
/** Whole numbers of 10^-k, each as its difference to the one before: 1 + k. */
const SCALED = 1
const SCALES_MAX = 4
const RAW = 9
/** Beyond it the differences of whole numbers are not exact. */
const EXACT_MAX = 2 ** 52

const isExact = (whole: number) => Math.abs(whole) < EXACT_MAX && !Object.is(whole, -0)

const scratch = new DataView(new ArrayBuffer(8))

/** How many there are is not in it. */
export function writeColumn(out: number[], numbers: readonly number[]): void {
  if (numbers.length === 0) return
  const first = numbers[0]!
  if (numbers.every((one) => Object.is(one, first))) {
    out.push(CONSTANT)
    writeFloat(out, first)
    return
  }
  for (let scale = 0; scale < SCALES_MAX; scale++) {
    const by = 10 ** scale
    const whole = numbers.map((one) => Math.round(one * by))
    if (!whole.every((one, index) => isExact(one) && one / by === numbers[index])) continue
    out.push(SCALED + scale)
    let before = 0
    for (const one of whole) {
      writeSigned(out, one - before)
      before = one
    }
    return
  }
  out.push(RAW)
  for (const one of numbers) writeFloat(out, one)
}

export function readColumn(from: Reader, count: number): number[] {
  if (count === 0) return []
  const kind = from.bytes[from.at++]!
  if (kind === CONSTANT) return Array.from<number>({ length: count }).fill(readFloat(from))
  const numbers: number[] = []
  if (kind === RAW) {
    for (let index = 0; index < count; index++) numbers.push(readFloat(from))
    return numbers
  }
  const by = 10 ** (kind - SCALED)
  let whole = 0
  for (let index = 0; index < count; index++) {
    whole += readSigned(from)
    numbers.push(whole / by)
  }
  return numbers
}

function writeFloat(out: number[], value: number): void {
  scratch.setFloat64(0, value)
  for (let index = 0; index < 8; index++) out.push(scratch.getUint8(index))
}

function readFloat(from: Reader): number {
  for (let index = 0; index < 8; index++) scratch.setUint8(index, from.bytes[from.at++]!)
  return scratch.getFloat64(0)
}

// The sign in the lowest bit, then seven bits a byte. Not by operators on bits, which know 32 of them.
function writeSigned(out: number[], value: number): void {
  let rest = value < 0 ? -value * 2 - 1 : value * 2
  while (rest >= 128) {
    out.push((rest % 128) + 128)
    rest = Math.floor(rest / 128)
  }
  out.push(rest)
}

function readSigned(from: Reader): number {
  let value = 0
  let weight = 1
  for (;;) {
    const byte = from.bytes[from.at++]!
    value += (byte % 128) * weight
    if (byte < 128) break
    weight *= 128
  }
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2
}
