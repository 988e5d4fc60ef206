// Keys of SSH: made, read as people paste them, written as OpenSSH writes them (RFC 4253 §6.6, RFC 8709, PROTOCOL.key).
import {
  createHash,
  createPublicKey,
  generateKeyPairSync,
  hash,
  randomBytes,
  type KeyObject,
} from 'node:crypto'

export type SshKeyType = 'rsa' | 'ed25519'
/** `line` is `ssh-rsa AAAA…` without a comment; `der` the SubjectPublicKeyInfo. */
export type SshPublicKey = { type: SshKeyType; line: string; blob: Buffer; der: Buffer; bits: number }
/** `material` is what the owner keeps (PEM, or OpenSSH's form for ed25519), `pkcs8` the same as DER. */
export type SshKeyPair = { publicKey: SshPublicKey; material: string; pkcs8: Buffer }

const RSA_BITS = 2048
const NAMES = { rsa: 'ssh-rsa', ed25519: 'ssh-ed25519' } as const

/** Blocks: an RSA key takes some tenths of a second. */
export function makeSshKeyPair(type: SshKeyType, comment: string): SshKeyPair {
  if (type === 'rsa') {
    const made = generateKeyPairSync('rsa', { modulusLength: RSA_BITS })
    const material = made.privateKey.export({ type: 'pkcs1', format: 'pem' }).toString()
    return { publicKey: publicKeyOf(made.publicKey)!, material, pkcs8: pkcs8Of(made.privateKey) }
  }
  const made = generateKeyPairSync('ed25519')
  const publicKey = publicKeyOf(made.publicKey)!
  return {
    publicKey,
    material: openSshPem(made.privateKey, publicKey, comment),
    pkcs8: pkcs8Of(made.privateKey),
  }
}

/** OpenSSH's line, the file of RFC 4716, or base64 of DER; undefined when it is none of them, or another kind of key. */
export function readSshPublicKey(text: string): SshPublicKey | undefined {
  const trimmed = text.trim()
  const [name = '', base64 = ''] = trimmed.split(/[ \t]+/)
  if (name === NAMES.rsa || name === NAMES.ed25519) {
    const key = publicKeyOfBlob(bytesOf(base64))
    return key && NAMES[key.type] === name && !/[\r\n]/.test(trimmed) ? key : undefined
  }
  const file = /^---- BEGIN SSH2 PUBLIC KEY ----\r?\n([^]*?)\r?\n---- END SSH2 PUBLIC KEY ----$/.exec(
    trimmed,
  )?.[1]
  // Its headers are `Name: value`, continued after a backslash.
  if (file !== undefined)
    return publicKeyOfBlob(bytesOf(file.replace(/^[\w-]+: (?:.*\\\r?\n)*.*\r?\n/gm, '')))
  return publicKeyOfDer(bytesOf(trimmed))
}

function publicKeyOfBlob(blob: Buffer | undefined): SshPublicKey | undefined {
  const [name, first, second, ...more] = blob ? stringsOf(blob) : []
  if (!first || more.length > 0) return undefined
  const url = (bytes: Buffer) => bytes.toString('base64url')
  const jwk =
    name?.toString('latin1') === NAMES.rsa && second
      ? { kty: 'RSA', e: url(first), n: url(withoutZeros(second)) }
      : name?.toString('latin1') === NAMES.ed25519 && !second
        ? { kty: 'OKP', crv: 'Ed25519', x: url(first) }
        : undefined
  try {
    return jwk && publicKeyOf(createPublicKey({ key: jwk, format: 'jwk' }))
  } catch {
    return undefined
  }
}

function publicKeyOfDer(key: Buffer | undefined): SshPublicKey | undefined {
  try {
    return key && publicKeyOf(createPublicKey({ key, format: 'der', type: 'spki' }))
  } catch {
    return undefined
  }
}

function publicKeyOf(key: KeyObject): SshPublicKey | undefined {
  const type = key.asymmetricKeyType
  if (type !== 'rsa' && type !== 'ed25519') return undefined
  const jwk = key.export({ format: 'jwk' })
  const part = (text: string | undefined) => Buffer.from(text ?? '', 'base64url')
  const [e, n] = [part(jwk.e), part(jwk.n)]
  const parts = type === 'rsa' ? [mpint(e), mpint(n)] : [string(part(jwk.x))]
  const blob = Buffer.concat([string(Buffer.from(NAMES[type])), ...parts])
  return {
    type,
    line: `${NAMES[type]} ${blob.toString('base64')}`,
    blob,
    der: key.export({ type: 'spki', format: 'der' }),
    bits: key.asymmetricKeyDetails?.modulusLength ?? 256,
  }
}

// openssh/PROTOCOL.key: one key, no cipher, padded to 8 bytes with 1, 2, 3, …
function openSshPem(key: KeyObject, { blob }: SshPublicKey, comment: string): string {
  const jwk = key.export({ format: 'jwk' })
  const [seed, own] = [Buffer.from(jwk.d ?? '', 'base64url'), Buffer.from(jwk.x ?? '', 'base64url')]
  const check = randomBytes(4)
  const secret = Buffer.concat([
    check,
    check,
    blob,
    string(Buffer.concat([seed, own])),
    string(Buffer.from(comment)),
  ])
  // A blob is `name, key`, which is how the secret part begins as well.
  const padding = Buffer.from(
    Array.from({ length: (8 - (secret.length % 8)) % 8 }, (_unused, index) => index + 1),
  )
  const none = string(Buffer.from('none'))
  const whole = Buffer.concat([
    ...[Buffer.from('openssh-key-v1\0'), none, none, string(Buffer.alloc(0)), Buffer.from([0, 0, 0, 1])],
    ...[string(blob), string(Buffer.concat([secret, padding]))],
  ])
  const lines = whole.toString('base64').match(/.{1,70}/g) ?? []
  return ['-----BEGIN OPENSSH PRIVATE KEY-----', ...lines, '-----END OPENSSH PRIVATE KEY-----', ''].join('\n')
}

const pkcs8Of = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'der' })

/** `aa:bb:…` */
export const colonHex = (algorithm: 'md5' | 'sha1', bytes: Buffer): string =>
  createHash(algorithm)
    .update(bytes)
    .digest('hex')
    .replace(/..(?=.)/g, '$&:')

export const sha256Base64 = (bytes: Buffer): string => hash('sha256', bytes, 'base64')

function stringsOf(blob: Buffer): Buffer[] {
  const parts: Buffer[] = []
  for (let at = 0; at < blob.length;) {
    const length = at + 4 <= blob.length ? blob.readUInt32BE(at) : Infinity
    if (at + 4 + length > blob.length) return []
    parts.push(blob.subarray(at + 4, at + 4 + length))
    at += 4 + length
  }
  return parts
}

function bytesOf(base64: string): Buffer | undefined {
  const text = base64.replace(/[\r\n]/g, '')
  return /^[A-Za-z0-9+/]+={0,2}$/.test(text) ? Buffer.from(text, 'base64') : undefined
}

function string(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}
// Positive: a zero goes before a first bit that is set.
const mpint = (bytes: Buffer) => string(bytes[0]! >= 0x80 ? Buffer.concat([Buffer.alloc(1), bytes]) : bytes)
const withoutZeros = (bytes: Buffer) => (bytes[0] === 0 ? bytes.subarray(1) : bytes)
