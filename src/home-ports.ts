// Ports of a home: free when they are drawn, kept for good, and never those of another home, also of one that is
// stopped or is being made at the same moment. So each port in use is claimed by a file on this machine, which is there
// after a reboot too, whatever folders the homes are in.
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { EngineError } from './kernel/errors.ts'
import { readFileIfAny } from './kernel/files.ts'
import type { Home } from './kernel/home.ts'

export type Ports = Home['ports']

const CLAIMS = '/var/lib/polebean-ports'
const API_PORTS = Array.from({ length: 100 }, (_, index) => 4777 + index)
const HTTP_PORTS = [80, 8080, 8081, 8082, 8083, 8084, 8085, 8086]
/** The name server's own, that of its API, and those of the APIs of the servers of private zones and for instances. */
const DNS_PORTS_EACH = 4
const DNS_PORTS = Array.from({ length: 100 }, (_, index) => 5380 + DNS_PORTS_EACH * index)
const ENVIRONMENT_PORTS_FIRST = 18_000
/** How many loopback ports a home has for its environments. */
export const LOOPBACK_PORTS = 200
/** They end below 32768, where the kernel begins to give ports to outgoing connections. */
const ENVIRONMENT_RANGES = 73

/** Draws ports for the home in `dir` that nothing listens on and no other home has. */
export async function choosePorts(dir: string, random: number, claims = CLAIMS): Promise<Ports> {
  const first = Math.floor(random * ENVIRONMENT_RANGES)
  const ranges = Array.from(
    { length: ENVIRONMENT_RANGES },
    (_, index) => (first + index) % ENVIRONMENT_RANGES,
  )
  return {
    api: await take(API_PORTS, dir, claims),
    http: await take(HTTP_PORTS, dir, claims),
    environments: await take(
      ranges.map((range) => ENVIRONMENT_PORTS_FIRST + range * LOOPBACK_PORTS),
      dir,
      claims,
    ),
    dns: await chooseDnsPort(dir, claims),
  }
}

/** The part of `choosePorts` for a home that was made before there was a name server. */
export const chooseDnsPort = (dir: string, claims = CLAIMS): Promise<number> =>
  take(DNS_PORTS, dir, claims, DNS_PORTS_EACH)

/** Claims what the home in `dir` has already: for one that was made elsewhere, or whose claims were lost. */
export function claimPorts(ports: number[], dir: string, claims = CLAIMS): void {
  for (const port of ports) claim(port, dir, claims)
}

/** The folder of the home that has the port, also of one that is stopped; null when it is nobody's. */
export function holderOfClaim(port: number, claims = CLAIMS): string | null {
  const file = join(claims, String(port))
  return isStale(file, port) ? null : (readFileIfAny(file) ?? null)
}

/** The VPC ranges of the homes on this machine but that in `except`, also of those that are stopped. */
export const rangesOfHomes = (claims = CLAIMS, except?: string): string[] =>
  homesHere(claims).flatMap(({ dir, cidr }) => (dir === except ? [] : (cidr ?? [])))

/** The homes on this machine that have claimed ports, also those that are stopped. */
export function homesHere(claims = CLAIMS): { dir: string; id?: string; cidr?: string }[] {
  const files = existsSync(claims) ? readdirSync(claims) : []
  const dirs = new Set(files.map((name) => readFileIfAny(join(claims, name)) ?? ''))
  return [...dirs].flatMap((dir) => {
    const home = lookAtHome(dir)
    return home === 'gone' || home === 'damaged' ? [] : { ...home, dir }
  })
}

export type HomeClaims = {
  /** Ids of homes that are there. */
  ids: string[]
  /** Folders in which something is that cannot be read: nobody can say which home it is. */
  damaged: string[]
  /** Claims of homes whose folder is gone. */
  gone: { file: string; dir: string }[]
}

/** Who has claimed ports on this machine, and what became of them. */
export function readClaims(claims = CLAIMS): HomeClaims {
  const found: HomeClaims = { ids: [], damaged: [], gone: [] }
  for (const name of existsSync(claims) ? readdirSync(claims) : []) {
    const file = join(claims, name)
    const dir = readFileIfAny(file)
    if (dir === undefined || isBeingMade(file)) continue
    const home = lookAtHome(dir)
    if (home === 'gone') found.gone.push({ file, dir })
    else if (home === 'damaged' || !home.id) found.damaged.push(dir)
    else found.ids.push(home.id)
  }
  return found
}

/** Takes claims of homes that are gone away. */
export function removeClaims(gone: HomeClaims['gone'], claims = CLAIMS): void {
  for (const { file, dir } of gone) if (readFileIfAny(file) === dir) rmSync(file, { force: true })
  removeIfEmpty(claims)
}

/** Gives ports back: of a home that is being deleted, or those that it has no more. */
export function releasePorts(ports: number[], dir: string, claims = CLAIMS): void {
  for (const port of ports) {
    const file = join(claims, String(port))
    if (readFileIfAny(file) === dir) rmSync(file, { force: true })
  }
  removeIfEmpty(claims)
}

function removeIfEmpty(claims: string): void {
  try {
    rmdirSync(claims)
  } catch {
    // another home has ports, or nobody ever had
  }
}

async function take(ports: number[], dir: string, claims: string, width = 1): Promise<number> {
  const areFree = async (port: number) => {
    for (let each = port; each < port + width; each++) if (!(await canListen(each))) return false
    return true
  }
  for (const port of ports) if ((await areFree(port)) && claim(port, dir, claims)) return port
  throw new EngineError(`none of the ports ${ports[0]} to ${ports.at(-1)} is free`)
}

function claim(port: number, dir: string, claims: string): boolean {
  mkdirSync(claims, { recursive: true, mode: 0o755 })
  const file = join(claims, String(port))
  if (isStale(file, port)) rmSync(file, { force: true })
  try {
    const fd = openSync(file, 'wx', 0o644)
    writeSync(fd, dir)
    closeSync(fd)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    return readFileIfAny(file) === dir
  }
}

// The claim is written before home.json is, so one without a home counts for as long as that may take.
const MAKING_MS = 60_000

function isBeingMade(file: string): boolean {
  const since = statSync(file, { throwIfNoEntry: false })?.mtimeMs
  return since === undefined || performance.timeOrigin + performance.now() - since < MAKING_MS
}

function isStale(file: string, port: number): boolean {
  if (isBeingMade(file)) return false
  const home = lookAtHome(readFileSync(file, 'utf8'))
  if (home === 'gone') return true
  // Nobody can say what it has: it keeps what it claimed.
  if (home === 'damaged') return false
  // What it chose once is kept for it while its configuration says something else.
  return ![home.ports, home.chosen?.ports].some((ports) => Object.values(ports ?? {}).includes(port))
}

type Claimant = { id?: string; cidr?: string; ports?: Ports; chosen?: { ports: Partial<Ports> } }

/** Another home, whatever became of it: its folder may be anybody's by now. */
function lookAtHome(dir: string): Claimant | 'gone' | 'damaged' {
  const path = join(dir, 'home.json')
  try {
    if (!statSync(path).isFile()) return 'damaged'
    return JSON.parse(readFileSync(path, 'utf8')) as Claimant
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? ''
    return ['ENOENT', 'ENOTDIR'].includes(code) ? 'gone' : 'damaged'
  }
}

async function canListen(port: number): Promise<boolean> {
  for (const host of ['127.0.0.1', '0.0.0.0', '::1', '::']) if (!(await canListenAt(port, host))) return false
  return true
}

// A machine without IPv6 has no such address, so nobody else can have it either.
const canListenAt = (port: number, host: string): Promise<boolean> =>
  new Promise((answer) => {
    const server = createServer()
    server.once('error', ({ code }: NodeJS.ErrnoException) =>
      answer(code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT'),
    )
    server.listen({ port, host, exclusive: true, ipv6Only: host.includes(':') }, () =>
      server.close(() => answer(true)),
    )
  })
