// Releases for tests, of the working copy as it is: real ones but for their compression and what `change` does to them.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { packArchive } from '../../tools/release/archive.ts'
import { nodePackage } from '../../tools/release/node-package.ts'
import { stageRelease, type Arch } from '../../tools/release/stage.ts'
import { root } from './home.ts'

export const COMMIT = '0123456789abcdef0123456789abcdef01234567'
export const ARCH = process.arch as Arch

type Edit = (path: string, from: string, to: string) => void

/** Answers what builds one release after another, each from the one before: the file, with its sum beside it, in `folder`. */
export function makeReleases(folder: string) {
  mkdirSync(folder, { recursive: true })
  let dir = join(folder, 'staged')
  const release = { version: '0.0.0', commit: COMMIT, arch: ARCH }
  stageRelease({ root, dir, release, nodeDir: nodePackage(root, ARCH, folder) })
  const edit: Edit = (path, from, to) => {
    const text = readFileSync(join(dir, path), 'utf8')
    if (!text.includes(from)) throw new Error(`${path} has no ${from}`)
    writeFileSync(join(dir, path), text.replace(from, to))
  }
  let last = release.version
  return async (version: string, change: (edit: Edit) => void = () => undefined): Promise<string> => {
    const name = `polebean-${version}-linux-${ARCH}`
    renameSync(dir, join(folder, name))
    dir = join(folder, name)
    for (const path of ['release.json', 'package.json'])
      edit(path, `"version": "${last}"`, `"version": "${version}"`)
    last = version
    change(edit)
    const file = `${dir}.tar.gz`
    await packArchive({ dir, file, epochSeconds: 1_800_000_000, level: 0 })
    return file
  }
}

/** One more migration: a database that has it is refused by the versions before. */
export const addMigration = (edit: Edit, name: string): void =>
  edit(
    'src/control-plane.js',
    '  workflowsMigration,',
    `  workflowsMigration, { id: '${name}', sql: 'create table ${name} (id integer primary key) strict' },`,
  )
