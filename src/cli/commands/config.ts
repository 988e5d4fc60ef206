// `config`: what is in force and where it comes from, and changes of <home>/config.yaml. Only root may write it; a change
// is made and checked by a process of our own that is root, while the editor stays the user's.
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { parse } from 'yaml'
import { renderDefaults, renderValue } from '../../config/default-file.ts'
import { withoutSetting, withSetting } from '../../config/edit.ts'
import { BYTES_MAX, configPath, readText, sourcesOf, type Sources } from '../../config/file.ts'
import { unknownKey } from '../../config/parse.ts'
import { isKey, keys, rowOf, type Key } from '../../config/settings.ts'
import { problemsOf } from '../../home-config.ts'
import { readHome, type HomeSettings } from '../../home.ts'
import { systemClock } from '../../kernel/clock.ts'
import { reasonOf } from '../../kernel/errors.ts'
import { writeFileAtomic } from '../../kernel/files.ts'
import { editText } from '../editor.ts'
import { EXIT, Failure } from '../failure.ts'
import { note, print, printJson, printTable } from '../output.ts'
import { readEntries, readStatus, resolved, sayOrigin } from '../settings-in-force.ts'
import { asRoot } from '../start-server.ts'

type Json = { json?: boolean }
export async function get(homeDir: string, named: string | undefined, { json }: Json): Promise<void> {
  const entries = await readEntries(homeOf(homeDir))
  if (named === undefined) {
    if (json) return printJson(entries)
    const cells = entries.map((entry) => [entry.key, renderValue(entry.key, entry.value), sayOrigin(entry)])
    return printTable(['KEY', 'VALUE', 'FROM'], cells)
  }
  const entry = entries.find(({ key }) => key === keyOf(named))!
  if (json) printJson(entry)
  else print(renderValue(entry.key, entry.value))
}

export async function set(homeDir: string, named: string, given: string, options: Json): Promise<void> {
  const key = keyOf(named)
  const value = valueOf(key, given)
  homeOf(homeDir)
  if (process.getuid!() === 0) await change(homeDir, (text) => withSetting(text, key, value))
  else asRoot(['config', 'set', '--home', homeDir, '--', key, given])
  if (options.json) await get(homeDir, key, options)
}

export async function unset(homeDir: string, named: string, options: Json): Promise<void> {
  const key = keyOf(named)
  homeOf(homeDir)
  if (process.getuid!() === 0) await change(homeDir, (text) => withoutSetting(text, key))
  else asRoot(['config', 'unset', '--home', homeDir, '--', key])
  if (options.json) await get(homeDir, key, options)
}

export async function edit(homeDir: string, options: Json): Promise<void> {
  homeOf(homeDir)
  const before = readText(configPath(homeDir)) ?? renderDefaults()
  const after = editText(before)
  if (after === before) note('Nothing was changed.')
  else if (process.getuid!() === 0) await replace(homeDir, after, digest(before))
  else asRoot(['config', 'replace', '--home', homeDir, digest(before)], after)
  if (options.json) await get(homeDir, undefined, options)
}

/** What `edit` has root do: puts the text on standard input in place of the file that had this digest. */
export const replaceByInput = (homeDir: string, was: string): Promise<void> =>
  replace(homeDir, readFileSync(0, 'utf8'), was)

async function replace(homeDir: string, text: string, was: string): Promise<void> {
  const path = configPath(homeDir)
  const kept = `${path}.rejected`
  try {
    await putInPlace(homeDir, text, sourcesOf(kept, text, new Map()), was)
  } catch (error) {
    writeFileAtomic(kept, text.slice(0, BYTES_MAX), 0o644)
    throw new Failure(`${reasonOf(error)}\nNothing was changed. Your text is kept in ${kept}`)
  }
}

async function change(homeDir: string, make: (text: string) => string): Promise<void> {
  const path = configPath(homeDir)
  const before = readText(path) ?? renderDefaults()
  sourcesOf(path, before, new Map()) // a broken file is mended first
  const after = make(before)
  const sources = sourcesOf(path, after, new Map())
  if (after === before && existsSync(path)) return note('Nothing was changed: the file says so already.')
  await putInPlace(homeDir, after, sources, digest(before))
}

/** `was`: the digest of what the change began with. Throws a Failure with every reason against it. */
async function putInPlace(homeDir: string, text: string, sources: Sources, was: string): Promise<void> {
  const home = homeOf(homeDir)
  const path = configPath(homeDir)
  const status = await readStatus(homeDir)
  const { makeMachine } = await import('../../machine.ts')
  const machine = makeMachine(home, ...(status ? [async () => status.inUse] : []))
  const problems = await problemsOf(home, sources, machine)
  if (problems.length > 0) throw new Failure(problems.join('\n'))
  const before = givenOf(path)
  if (digest(readText(path) ?? renderDefaults()) !== was)
    throw new Failure(`somebody else has changed ${path} meanwhile; do it again`)
  writeFileAtomic(path, text, 0o644)
  for (const key of keys)
    if (!isDeepStrictEqual(before?.get(key)?.value, sources.get(key)?.value))
      await tellEffect(home, key, sources, status !== null)
}

// What was broken gave nothing.
function givenOf(path: string): Sources | undefined {
  try {
    return sourcesOf(path, readText(path) ?? '', new Map())
  } catch {
    return undefined
  }
}

const FOLLOWS_WITHIN_MS = 10_000
const LOOK_EVERY_MS = 200

async function tellEffect(home: HomeSettings, key: Key, sources: Sources, running: boolean): Promise<void> {
  const value = sources.has(key) ? sources.get(key)!.value : rowOf(key).default
  const said = `${key} is ${renderValue(key, sources.has(key) ? value : resolved(home, key, value, 'chosen'))}`
  if (key === 'listeners.publicAddresses') tellAbsent(value as string[])
  if (!running) return note(`${said} from the next start of the server on.`)
  if (rowOf(key).takesEffect === 'start')
    return note(`${said} once the server starts again: polebean restart (requests are carried meanwhile)`)
  const end = systemClock.monotonic() + FOLLOWS_WITHIN_MS
  for (; systemClock.monotonic() < end; await sleep(LOOK_EVERY_MS)) {
    const inForce = (await readStatus(home.dir))?.given[key]
    if (inForce?.source === 'flag')
      return note(`${said} once the server runs without the option ${rowOf(key).flag}.`)
    if (isDeepStrictEqual(inForce ? inForce.value : rowOf(key).default, value)) return note(`${said} now.`)
  }
  note(`${said} in the file; the server has not followed yet (see: polebean doctor).`)
}

function tellAbsent(addresses: string[]): void {
  const own = Object.values(networkInterfaces()).flatMap((all) => all?.map(({ address }) => address) ?? [])
  const absent = addresses.filter((one) => !['0.0.0.0', '::', ...own].includes(one))
  if (absent.length > 0)
    note(`This machine has no address ${absent.join(', ')} now; it is left out until it has.`)
}

function keyOf(named: string): Key {
  if (isKey(named)) return named
  throw new Failure(unknownKey(named), EXIT.usage)
}

/** As YAML, as text, or as a list with commas: the first that the setting takes. */
function valueOf(key: Key, given: string): unknown {
  const { type } = rowOf(key)
  const candidates = [asYaml(given), given, given.split(',').map((word) => word.trim())]
  const reads = candidates.map((candidate) => type.read(candidate))
  for (const read of reads) if ('value' in read) return read.value
  const [first] = reads
  throw new Failure(`${key} ${first && 'wrong' in first ? first.wrong : ''}, not ${given}`, EXIT.usage)
}

function asYaml(text: string): unknown {
  try {
    return parse(text, { version: '1.2', schema: 'core', logLevel: 'silent' }) as unknown
  } catch {
    return text
  }
}

function homeOf(homeDir: string): HomeSettings {
  const home = readHome(homeDir)
  if (!home) throw new Failure(`there is no Polebean home in ${homeDir}; start one with: polebean start`)
  return home
}

const digest = (text: string) => createHash('sha256').update(text).digest('hex')
