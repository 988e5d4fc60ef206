// Opens a home, or makes one: draws its id, chooses ports and ranges that are free now, and keeps them (design §6).
import {
  chmodSync,
  chownSync,
  closeSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  writeSync,
} from 'node:fs'
import { join, resolve } from 'node:path'
import { renderDefaults } from './config/default-file.ts'
import { configPath, readSources, readText, type Flags } from './config/file.ts'
import { choicesOf, problemsOf, type Choices, type Machine } from './home-config.ts'
import { chooseDnsPort, choosePorts, claimPorts, holderOfClaim, releasePorts } from './home-ports.ts'
import { EngineError, reasonOf } from './kernel/errors.ts'
import { readFileIfAny, writeFileAtomic } from './kernel/files.ts'
import type { Home } from './kernel/home.ts'
import { makeIds } from './kernel/ids.ts'
import { drawAccessKey } from './services/iam/draw-access-key.ts'
import type { Random } from './kernel/random.ts'

export type Credentials = { accessKeyId: string; secretAccessKey: string }
export type HomeSettings = Home & {
  region: string
  account: string
  domain: string
  /** What was chosen at first start; ports, domain and range are those that the configuration makes of it. */
  chosen: Choices
}

export const DEFAULT_HOME = '/var/lib/polebean'
export const REGION = 'us-west-2'
const FORMAT = 1
const IDS_PER_HOME = 65_536
const FIRST_ID = 1_000_000_000
const HOMES_AT_MOST = 16_000

/** The folder that POLEBEAN_HOME or --home names, else the default. */
export const homeDir = (given?: string): string => resolve(given ?? process.env.POLEBEAN_HOME ?? DEFAULT_HOME)

/** The settings of a home that exists, or undefined. Readable by every user; it holds no secret. */
export function readHome(dir: string): HomeSettings | undefined {
  const text = readSettings(dir)
  if (text === undefined) return undefined
  const settings = JSON.parse(text) as Omit<HomeSettings, 'chosen'> & { chosen?: Choices; format?: number }
  if (settings.format !== FORMAT)
    throw new EngineError(
      `${dir} was written by a newer version of Polebean (format ${settings.format}, this one knows ${FORMAT}); nothing was changed`,
    )
  if (!/^[a-z0-9]{6}$/.test(settings.id) || !settings.ports)
    throw new EngineError(`${dir}/home.json names no home`)
  const { format: _, ...home } = settings
  const { ports, domain, cidr } = home
  const chosen = home.chosen ?? { ports: { api: ports.api, http: ports.http }, domain, cidr }
  // Where it is decides, not what it says of itself: what is below these two is removed with the home.
  return { ...home, chosen, dir, runDir: runDirOf(home.id) }
}

const runDirOf = (id: string) => `/run/polebean/${id}`

/** Root reads and writes what it finds in a home, so nobody else may put anything there. Throws a sentence. */
export function checkOwner(dir: string): void {
  if (process.getuid!() !== 0) return
  const stat = statSync(dir, { throwIfNoEntry: false })
  if (!stat || (stat.uid === 0 && (stat.mode & 0o022) === 0)) return
  throw new EngineError(
    `${dir} can be written by other users than root, so it cannot be a home. ` +
      `Name another folder, or: chown root ${dir}; chmod go-w ${dir}`,
  )
}

function readSettings(dir: string): string | undefined {
  checkOwner(dir)
  try {
    return readFileIfAny(join(dir, 'home.json'))
  } catch (cause) {
    throw new EngineError(`the home ${dir} cannot be read: ${reasonOf(cause)}`, { cause })
  }
}

/** The command line's own access key; only its owner (who started the home) and root can read it. */
export const readCredentials = (dir: string): Credentials =>
  JSON.parse(readFileSync(join(dir, 'credentials.json'), 'utf8')) as Credentials

/**
 * Puts another key into credentials.json. Its owner may write the file but not the folder it is in, so it is overwritten
 * in place; by one write of as many bytes (keys are all as long), so that a crash leaves one key or the other.
 */
export function replaceCredentials(dir: string, credentials: Credentials): void {
  const fd = openSync(join(dir, 'credentials.json'), 'r+')
  try {
    const text = textOf(credentials)
    writeSync(fd, text, 0)
    ftruncateSync(fd, Buffer.byteLength(text))
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

const textOf = (credentials: Credentials) => `${JSON.stringify(credentials, null, 2)}\n`

type Making = {
  random: Random
  chooseCidr(): Promise<string>
  owner: { uid: number; gid: number }
  /** What the command line says; it wins over the file. */
  flags: Flags
  machine(home: HomeSettings): Machine
}

/**
 * Makes the home in `dir` unless there is one, with its configuration in force; what was chosen once is kept. Throws a
 * sentence when the configuration is broken or asks for what cannot be had. Needs root.
 */
export async function openHome(dir: string, making: Making): Promise<HomeSettings> {
  const there = readHome(dir)
  const sources = readSources(dir, making.flags)
  const home = there ?? (await makeHome(dir, making))
  const path = configPath(dir)
  if (readText(path) === undefined) writeFileAtomic(path, renderDefaults(), 0o644)
  const machine = making.machine(home)
  const problems = await problemsOf(home, sources, machine)
  if (problems.length > 0) throw new EngineError(problems.join('\n'))
  const { ports, domain, cidr } = choicesOf(home, sources)
  // Of a release that had no name server, or restored where another home has the port: nobody was told it.
  const holder = home.ports.dns === undefined ? null : holderOfClaim(home.ports.dns)
  const dns =
    home.ports.dns !== undefined && (holder === null || holder === dir)
      ? home.ports.dns
      : await chooseDnsPort(dir)
  const next: HomeSettings = { ...home, ports: { ...home.ports, dns, ...ports }, domain, cidr }
  claimPorts(claimedPorts(next), dir)
  if (next.cidr !== home.cidr) await machine.leaveRange()
  if (JSON.stringify(next) !== JSON.stringify(home)) writeHome(next)
  const kept = claimedPorts(next)
  releasePorts(
    Object.values(home.ports).filter((port) => !kept.includes(port)),
    dir,
  )
  return next
}

/** Every port that is kept from other homes: those in force, and those of the first start. */
export const claimedPorts = ({ ports, chosen }: HomeSettings): number[] => [
  ...new Set([...Object.values(ports), ...Object.values(chosen.ports)]),
]

const writeHome = (home: HomeSettings) =>
  writeFileAtomic(
    join(home.dir, 'home.json'),
    `${JSON.stringify({ format: FORMAT, ...home }, null, 2)}\n`,
    0o644,
  )

async function makeHome(dir: string, { random, chooseCidr, owner, flags }: Making): Promise<HomeSettings> {
  mkdirSync(dir, { recursive: true, mode: 0o755 })
  checkOwner(dir)
  const ids = makeIds(random)
  const id = ids.lower('', 6)
  const slot = Math.floor(random.next() * HOMES_AT_MOST)
  const ports = await choosePorts(dir, random.next())
  const domain = flags.get('dns.domain') as string | undefined
  const chosen: Choices = {
    ports: { api: ports.api, http: ports.http },
    domain: domain ?? 'elasticbeanstalk.localhost',
    cidr: await chooseCidr(),
  }
  const home: HomeSettings = {
    id,
    dir,
    runDir: runDirOf(id),
    idBase: FIRST_ID + slot * IDS_PER_HOME,
    cidr: chosen.cidr,
    ports,
    region: REGION,
    account: '000000000000',
    domain: chosen.domain,
    chosen,
  }
  const credentials: Credentials = drawAccessKey(ids)
  const secret = join(dir, 'credentials.json')
  writeFileAtomic(secret, textOf(credentials), 0o600)
  chmodSync(secret, 0o600)
  chownSync(secret, owner.uid, owner.gid)
  writeHome(home)
  return home
}

/** Whose home it is: the user who asked sudo, or the one who runs us. */
export function invokingUser(): { uid: number; gid: number } {
  const { SUDO_UID, SUDO_GID } = process.env
  if (process.getuid!() === 0 && SUDO_UID && SUDO_GID) return { uid: Number(SUDO_UID), gid: Number(SUDO_GID) }
  return { uid: process.getuid!(), gid: process.getgid!() }
}
