// A release's file: fetched if it is a URL, held against its sum, unpacked beside the versions that are there.
import { createHash } from 'node:crypto'
import {
  closeSync,
  createReadStream,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { reasonOf } from '../../kernel/errors.ts'
import { run } from '../../kernel/process.ts'
import { EXIT, Failure } from '../failure.ts'
import { compareVersions, readRelease, type Release } from '../release.ts'
import { downloadRelease } from './download.ts'
import { noteDeed, requireRoom, syncFolder, type Installation } from './installation.ts'

const UNPACK_MS = 5 * 60_000

/** `dir` has the name of its version. `remove` takes it away again, unless it was there before. */
export type Unpacked = { release: Release; dir: string; remove(): void }

/** Throws a sentence, and leaves nothing, when the file is not a newer release for this machine. */
export async function unpackRelease(installation: Installation, source: string): Promise<Unpacked> {
  const { prefix } = installation
  const scratch = join(prefix, '.incoming')
  rmSync(scratch, { recursive: true, force: true })
  try {
    mkdirSync(scratch)
    const file = /^https?:/.test(source) ? await downloadRelease(source, scratch) : localFile(source)
    await checkSum(file)
    requireRoom(prefix, unpackedBytes(file), 'the release')
    const dir = join(scratch, 'release')
    mkdirSync(dir)
    const tar = [
      'tar',
      '--warning=no-timestamp',
      '-xzf',
      file,
      '-C',
      dir,
      '--strip-components=1',
      '--no-same-owner',
    ]
    const { exit, stderr } = await run(tar, { timeoutMs: UNPACK_MS })
    if (exit !== 0)
      throw new Failure(`${file} cannot be unpacked: ${stderr.toString().trim().split('\n')[0]}`)
    const release = checkRelease(installation, readRelease(dir))
    await checkStarts(dir)
    return await keep(prefix, dir, release)
  } catch (error) {
    throw error instanceof Failure ? error : new Failure(`nothing was changed: ${reasonOf(error)}`)
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

function localFile(source: string): string {
  const file = resolve(source)
  if (statSync(file, { throwIfNoEntry: false })?.isFile()) return file
  throw new Failure(
    `there is no file ${file}. A release is named by its file or its https URL: polebean-VERSION-linux-${process.arch}.tar.gz, its .sha256 beside it`,
    EXIT.usage,
  )
}

/** As gzip writes it at the end: of less than 4 GB, and not counting what a file takes beyond its bytes. */
function unpackedBytes(file: string): number {
  const [magic, end] = [Buffer.alloc(2), Buffer.alloc(4)]
  const fd = openSync(file, 'r')
  try {
    readSync(fd, magic, 0, magic.length, 0)
    if (magic.readUInt16BE() !== 0x1f8b) throw new Failure(`${file} is no .tar.gz; nothing was changed`)
    readSync(fd, end, 0, end.length, Math.max(0, statSync(file).size - end.length))
  } finally {
    closeSync(fd)
  }
  return end.readUInt32LE()
}

async function checkSum(file: string): Promise<void> {
  const beside = `${file}.sha256`
  if (!existsSync(beside)) throw new Failure(`${beside} is missing: the sum of the file`)
  const wanted = readFileSync(beside, 'utf8').split(/\s/)[0]
  const hash = createHash('sha256')
  await pipeline(createReadStream(file), hash)
  if (hash.digest('hex') !== wanted)
    throw new Failure(
      `${basename(file)} is damaged: its sum is not the one in ${basename(beside)}; nothing was changed`,
    )
}

function checkRelease({ current, prefix }: Installation, release: Release | undefined): Release {
  if (!release) throw new Failure('the file is no release of Polebean: it has no release.json')
  const { version, arch } = release
  if (arch !== process.arch)
    throw new Failure(`this release is for ${arch}, the machine is ${process.arch}; nothing was changed`)
  requireNewer(version, current.version)
  const there = readRelease(join(prefix, version))
  if (there && there.commit !== release.commit)
    throw new Failure(
      `${prefix}/${version} is there already, of commit ${there.commit.slice(0, 12)}, and another one than this`,
    )
  return release
}

/** Throws a sentence unless `version` is newer than the one that runs now. */
export function requireNewer(version: string, now: string): void {
  const step = compareVersions(version, now)
  if (step === 0) throw new Failure(`${version} is what runs now; nothing was changed`)
  if (step < 0)
    throw new Failure(
      `${version} is older than ${now}, which runs now and may have changed the database. ` +
        `To go back to the version before it: polebean upgrade --rollback`,
    )
}

/** A Node that lacks a library here must not be found out when the old server is stopped. */
async function checkStarts(dir: string): Promise<void> {
  const said = await run([join(dir, 'bin/polebean'), '--version'], { timeoutMs: 60_000 }).catch(reasonOf)
  if (typeof said !== 'string' && said.exit === 0) return
  const why = typeof said === 'string' ? said : said.stderr.toString().trim().split('\n').at(-1)
  throw new Failure(`this release does not start here, so nothing was changed: ${why}`)
}

async function keep(prefix: string, from: string, release: Release): Promise<Unpacked> {
  const dir = join(prefix, release.version)
  if (existsSync(dir)) return { release, dir, remove: () => undefined }
  await run(['sync', '-f', from], { timeoutMs: UNPACK_MS })
  noteDeed({ deed: 'make folder', path: dir })
  renameSync(from, dir)
  syncFolder(prefix)
  const remove = () => {
    noteDeed({ deed: 'remove folder', path: dir })
    rmSync(dir, { recursive: true, force: true })
  }
  return { release, dir, remove }
}
