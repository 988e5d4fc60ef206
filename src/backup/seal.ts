// A passphrase around a backup: scrypt makes the key, and AES-256-GCM seals the stream in chunks (the STREAM construction,
// Hoang, Reyhanitabar, Rogaway and Vizár 2015, https://eprint.iacr.org/2015/189): the nonce of a chunk is its number and
// whether it is the last, so none can be changed, left out, moved or cut off unseen.
import { createCipheriv, createDecipheriv, scrypt, timingSafeEqual, type ScryptOptions } from 'node:crypto'
import { EngineError } from '../kernel/errors.ts'
import type { Random } from '../kernel/random.ts'
import { makeReader } from './reader.ts'

const MAGIC = 'polebean-sealed/'
const VERSION = '1'
const SALT_BYTES = 16
const CHECK_BYTES = 16
const KEY_BYTES = 32
const TAG_BYTES = 16
const CHUNK_BYTES = 64 * 1024
/** Magic, version, line feed, salt, check value of the key. */
export const SEAL_HEADER_BYTES = MAGIC.length + 2 + SALT_BYTES + CHECK_BYTES
/** 128 MiB and about half a second for each guess. A backup cannot ask for more: the numbers belong to the version. */
const SCRYPT: ScryptOptions = { N: 2 ** 17, r: 8, p: 1, maxmem: 160 * 2 ** 20 }

export const isSealed = (head: Buffer): boolean => head.subarray(0, MAGIC.length).toString('latin1') === MAGIC

/** Seals what `source` yields. */
export async function* seal(
  source: AsyncIterable<Uint8Array>,
  passphrase: string,
  random: Random,
): AsyncGenerator<Buffer> {
  const salt = Buffer.from(Array.from({ length: SALT_BYTES }, () => Math.floor(random.next() * 256)))
  const { key, check } = await derive(passphrase, salt)
  const header = Buffer.concat([Buffer.from(`${MAGIC}${VERSION}\n`, 'latin1'), salt, check])
  yield header
  const reader = makeReader(source)
  let chunk = await reader.take(CHUNK_BYTES)
  for (let number = 0; ; number++) {
    const next = await reader.take(CHUNK_BYTES)
    const isLast = next.length === 0
    const cipher = createCipheriv('aes-256-gcm', key, nonceOf(number, isLast)).setAAD(header)
    yield Buffer.concat([cipher.update(chunk), cipher.final(), cipher.getAuthTag()])
    if (isLast) return
    chunk = next
  }
}

/** @throws EngineError a sentence about `file`: the passphrase is wrong, it is damaged or cut off, it is newer. */
export async function* unseal(
  source: AsyncIterable<Uint8Array>,
  passphrase: string,
  file: string,
): AsyncGenerator<Buffer> {
  const reader = makeReader(source)
  const header = await reader.take(SEAL_HEADER_BYTES)
  const version = header.toString('latin1', MAGIC.length, MAGIC.length + 2)
  if (version !== `${VERSION}\n` && header.length >= MAGIC.length + 2)
    throw new EngineError(`${file} was sealed by a newer Polebean`)
  if (header.length < SEAL_HEADER_BYTES) throw cutOff(file)
  const salt = header.subarray(MAGIC.length + 2, MAGIC.length + 2 + SALT_BYTES)
  const { key, check } = await derive(passphrase, salt)
  if (!timingSafeEqual(check, header.subarray(-CHECK_BYTES)))
    throw new EngineError(`the passphrase is not that of ${file}`)
  let chunk = await reader.take(CHUNK_BYTES + TAG_BYTES)
  for (let number = 0; ; number++) {
    const next = await reader.take(CHUNK_BYTES + TAG_BYTES)
    const isLast = next.length === 0
    const plain = open(chunk, nonceOf(number, isLast))
    if (!plain)
      throw isLast && open(chunk, nonceOf(number, false))
        ? cutOff(file)
        : new EngineError(`${file} is damaged or cut off (part ${number + 1} of what is sealed)`)
    yield plain
    if (isLast) return
    chunk = next
  }

  function open(sealed: Buffer, nonce: Buffer): Buffer | undefined {
    if (sealed.length < TAG_BYTES) return undefined
    const decipher = createDecipheriv('aes-256-gcm', key, nonce).setAAD(header)
    decipher.setAuthTag(sealed.subarray(-TAG_BYTES))
    try {
      return Buffer.concat([decipher.update(sealed.subarray(0, -TAG_BYTES)), decipher.final()])
    } catch {
      return undefined
    }
  }
}

export const cutOff = (file: string) => new EngineError(`${file} is cut off: its end is missing`)

// The key is new for each backup (its salt is), so a number is never used twice with it.
function nonceOf(number: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(12)
  nonce.writeUIntBE(number, 5, 6)
  nonce.writeUInt8(isLast ? 1 : 0, 11)
  return nonce
}

/** The key, and a value that tells a wrong passphrase from a damaged file. */
function derive(passphrase: string, salt: Buffer): Promise<{ key: Buffer; check: Buffer }> {
  return new Promise((resolve, reject) =>
    scrypt(passphrase.normalize('NFC'), salt, KEY_BYTES + CHECK_BYTES, SCRYPT, (error, derived) =>
      error
        ? reject(error)
        : resolve({ key: derived.subarray(0, KEY_BYTES), check: derived.subarray(KEY_BYTES) }),
    ),
  )
}
