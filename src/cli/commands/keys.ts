// `keys`: the access keys that requests are signed with. The command line's own is in credentials.json.
import { systemClock } from '../../kernel/clock.ts'
import type { AccessKeyDescription } from '../../services/iam/access-keys.ts'
import { replaceCredentials, type Credentials } from '../../home.ts'
import { reasonOf } from '../../kernel/errors.ts'
import { profileLeadsTo, writeProfile } from '../aws-profile.ts'
import { ApiError, apiOf, openApi, type Api } from '../client.ts'
import { EXIT, Failure } from '../failure.ts'
import { note, print, printJson, printTable } from '../output.ts'
import { structureOf, textOf } from '../xml.ts'

type Json = { json?: boolean }

export async function list(homeDir: string, { json }: Json): Promise<void> {
  const api = openApi(homeDir)
  const keys = (JSON.parse(await api.get('/polebean/keys')) as AccessKeyDescription[]).map((key) => ({
    ...key,
    own: key.id === api.credentials.accessKeyId,
  }))
  if (json) return printJson(keys)
  printTable(
    ['KEY', 'STATUS', 'CREATED', 'ENDS', 'LAST USED', ''],
    keys.map(({ id, status, createdAt, expiresAt, lastUsed, own }) => [
      id,
      status,
      minute(createdAt),
      expiresAt === null ? '-' : minute(expiresAt),
      lastUsed ? `${minute(lastUsed.at)} ${lastUsed.service} ${lastUsed.region}` : 'never',
      own ? "the command line's" : '',
    ]),
  )
}

const minute = (iso: string) => `${iso.slice(0, 16).replace('T', ' ')}Z`

export async function create(homeDir: string, { json }: Json): Promise<void> {
  const made = await createKey(openApi(homeDir))
  if (json) return printJson(made)
  print(`AWS_ACCESS_KEY_ID=${made.accessKeyId}`)
  print(`AWS_SECRET_ACCESS_KEY=${made.secretAccessKey}`)
  note('Keep the secret now: it is not shown again.')
}

/** Each step leaves a key that works in credentials.json, so that rotating again is all that a crash asks for. */
export async function rotate(homeDir: string, { json, grace }: Json & { grace: string }): Promise<void> {
  const graceSeconds = secondsOf(grace)
  const before = openApi(homeDir)
  const made = await createKey(before)
  try {
    replaceCredentials(homeDir, made)
  } catch (error) {
    await before.call('iam', 'DeleteAccessKey', { AccessKeyId: made.accessKeyId })
    throw new Failure(
      `the new key cannot be written to ${homeDir}/credentials.json, so nothing was changed: ${reasonOf(error)}`,
    )
  }
  const after = apiOf(before.home, made)
  const old = before.credentials.accessKeyId
  const expiresAt = graceSeconds === 0 ? await end(after, old) : await endLater(after, old, graceSeconds)
  const inProfile = profileLeadsTo(after.endpoint)
  if (inProfile) writeProfile(after)
  if (json) return printJson({ id: made.accessKeyId, old, oldEndsAt: expiresAt })
  print(`The command line's key is ${made.accessKeyId} now.`)
  note(
    `The old key ${old} ${graceSeconds === 0 ? 'has ended' : `works until ${minute(expiresAt)}`}. ` +
      `Shells that have it need: eval "$(polebean env)".${inProfile ? ' The profile polebean has the new one.' : ''}`,
  )
}

async function end(api: Api, id: string): Promise<string> {
  await api.call('iam', 'DeleteAccessKey', { AccessKeyId: id })
  return new Date(systemClock.now()).toISOString()
}

async function endLater(api: Api, id: string, graceSeconds: number): Promise<string> {
  const text = await api.post(`/polebean/keys?id=${encodeURIComponent(id)}&grace=${graceSeconds}`)
  return (JSON.parse(text) as AccessKeyDescription).expiresAt ?? ''
}

export async function revoke(homeDir: string, id: string, { json }: Json): Promise<void> {
  const api = openApi(homeDir)
  if (id === api.credentials.accessKeyId)
    throw new Failure(
      `${id} is the key that the command line signs with; get it another one with: polebean keys rotate --grace 0`,
    )
  try {
    await api.call('iam', 'DeleteAccessKey', { AccessKeyId: id })
  } catch (error) {
    if (error instanceof ApiError && ['NoSuchEntity', 'ValidationError'].includes(error.code))
      throw new Failure(`there is no access key ${id}; see: polebean keys list`, EXIT.usage)
    throw error
  }
  if (json) return printJson({ revoked: id })
  print(`${id} has ended.`)
}

async function createKey(api: Api): Promise<Credentials> {
  const { result } = await api.call('iam', 'CreateAccessKey')
  const { AccessKeyId, SecretAccessKey } = structureOf(result.AccessKey)
  return { accessKeyId: textOf(AccessKeyId), secretAccessKey: textOf(SecretAccessKey) }
}

const UNITS: Record<string, number> = { s: 1, m: 60, h: 3_600, d: 86_400 }
const GRACE_DAYS_MAX = 30

function secondsOf(grace: string): number {
  const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(grace) ?? []
  const seconds = grace === '0' ? 0 : Number(count) * (UNITS[unit ?? ''] ?? Number.NaN)
  if (seconds >= 0 && seconds <= GRACE_DAYS_MAX * 86_400) return seconds
  throw new Failure(
    `--grace is 0 or a time of at most ${GRACE_DAYS_MAX} days, such as 30m, 24h or 7d, not '${grace}'`,
    EXIT.usage,
  )
}
