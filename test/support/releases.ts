// Releases for tests, of the working copy as it is: real ones but for their compression and what `change` does to them.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { packArchive } from '../../tools/release/archive.ts'
import { nodePackage } from '../../tools/release/node-package.ts'
import { stageRelease, type Arch } from '../../tools/release/stage.ts'
import { root } from './home.ts'

export const COMMIT = '0123456789abcdef0123456789abcdef01234567'
export const ARCH = process.arch as Arch

type Change = (path: string, from: string, to: string) => void

/** Writes the file and its sum into `folder`; answers the file. */
export async function buildRelease(
  folder: string,
  version: string,
  change: (edit: Change) => void = () => undefined,
): Promise<string> {
  const name = `polebean-${version}-linux-${ARCH}`
  const dir = join(folder, name)
  mkdirSync(folder, { recursive: true })
  const nodeDir = nodePackage(root, ARCH, folder)
  stageRelease({ root, dir, release: { version, commit: COMMIT, arch: ARCH }, nodeDir })
  change((path, from, to) => {
    const text = readFileSync(join(dir, path), 'utf8')
    if (!text.includes(from)) throw new Error(`${path} has no ${from}`)
    writeFileSync(join(dir, path), text.replace(from, to))
  })
  const file = join(folder, `${name}.tar.gz`)
  await packArchive({ dir, file, epochSeconds: 1_800_000_000, level: 0 })
  rmSync(dir, { recursive: true })
  return file
}

/** One more migration: a database that has it is refused by the versions before. */
export const addMigration = (edit: Change, name: string): void =>
  edit(
    'src/control-plane.js',
    '  workflowsMigration,',
    `  workflowsMigration, { id: '${name}', sql: 'create table ${name} (id integer primary key) strict' },`,
  )
