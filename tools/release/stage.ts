// Lays out what a release holds in a folder, file by file as a clone has them, but for types, tests and tools.
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  cpSync,
  globSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import type { Release } from '../../src/cli/release.ts'
import { stripModules } from './strip.ts'

export type Arch = 'x64' | 'arm64'
type Package = {
  version: string
  license?: string
  integrity: string
  dev?: boolean
  optional?: boolean
}
type Lock = { packages: Record<string, Package> }

const ENTRY = 'src/cli/main.ts'
/** As they are. `*.mjs` of setup: it brings the engines, which are no part of a release. */
const COPIED = [
  'src/cli/*.json',
  'src/platforms/assets/*',
  'tools/setup/*.mjs',
  'samples/**',
  'docs/**',
  'README.md',
  'CHANGELOG.md',
  'LICENSE',
]
/** What packages carry for compilers and readers only. */
const NOT_RUN = /\.(?:d\.[cm]?ts|map|md)$|\/(?:browser|typings)$/

type Staging = { root: string; dir: string; release: Omit<Release, 'node'>; nodeDir: string }

/** Fills `dir`, which must not be there. `nodeDir`: the unpacked package node-linux-<arch>. */
export function stageRelease({ root, dir, release, nodeDir }: Staging): void {
  const packages = packagesOf(root)
  const put = (path: string, content: string, mode = 0o644) => {
    mkdirSync(dirname(join(dir, path)), { recursive: true })
    writeFileSync(join(dir, path), content, { mode })
  }
  for (const [path, code] of stripModules(root, [ENTRY])) put(path.replace(/\.ts$/, '.js'), code)
  for (const path of filesOf(root)) copy(join(root, path), join(dir, path))

  const launcher = readFileSync(join(root, 'bin/polebean'), 'utf8')
  if (!launcher.includes(ENTRY)) throw new Error(`bin/polebean does not start ${ENTRY}`)
  put('bin/polebean', launcher.replace(ENTRY, ENTRY.replace(/\.ts$/, '.js')), 0o755)
  copy(join(root, 'tools/release/install.sh'), join(dir, 'install.sh'))

  const node = `node_modules/node-linux-${release.arch}`
  const libraries = librariesIn(root)
  for (const [path] of libraries) {
    const text = licenceTextIn(join(root, path))
    const filter = (from: string) => !NOT_RUN.test(from) || from === join(root, path, text ?? '')
    cpSync(join(root, path), join(dir, path), { recursive: true, filter })
  }
  for (const file of ['bin/node', 'LICENSE', 'package.json']) copy(join(nodeDir, file), join(dir, node, file))
  chmodSync(join(dir, node, 'bin/node'), 0o755)
  mkdirSync(join(dir, 'node_modules/.bin'))
  symlinkSync(`../node-linux-${release.arch}/bin/node`, join(dir, 'node_modules/.bin/node'))

  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<string, unknown>
  const kept = ['name', 'description', 'license', 'bin', 'type', 'dependencies'].map((name) => [
    name,
    manifest[name],
  ])
  put('package.json', json({ ...Object.fromEntries(kept), version: release.version, private: true }))
  put('release.json', json({ ...release, node: packages[node]!.version }))
  put('LICENSES.txt', licenses(dir, [...libraries, [node, packages[node]!]]))
}

const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`

/** Of git's, so that what lies about in a working copy is not published. */
function filesOf(root: string): string[] {
  const listed = spawnSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' })
  if (listed.status !== 0) throw new Error(`git ls-files: ${listed.error?.message ?? listed.stderr}`)
  const known = new Set(listed.stdout.split('\0'))
  return globSync(COPIED, { cwd: root }).filter((path) => known.has(path))
}

function copy(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true })
  copyFileSync(from, to)
}

const packagesOf = (root: string) =>
  (JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as Lock).packages

/** What goes with every release, by its path. */
export const librariesIn = (root: string): [string, Package][] =>
  Object.entries(packagesOf(root)).filter(([path, { dev, optional }]) => path !== '' && !dev && !optional)

/** A file of that name, in whatever case; else a readme that has a chapter of it. */
function licenceTextIn(folder: string): string | undefined {
  const names = readdirSync(folder)
  const hasChapter = (name: string) => /^#*\s*licen[cs]e\s*$/im.test(readFileSync(join(folder, name), 'utf8'))
  return (
    names.find((name) => /^licen[cs]e/i.test(name)) ??
    names.find((name) => /^readme/i.test(name) && hasChapter(name))
  )
}

/** Which licence holds for what, and where its text lies: in a file of its own, or at the end of what is to be read first. Throws for a
 *  package without one. */
export function licenses(dir: string, libraries: [string, Package][]): string {
  const lines = libraries.map(([path, { version, license }]) => {
    const text = licenceTextIn(join(dir, path))
    if (!text || !license) throw new Error(`${path} says no licence`)
    return `${path.replace('node_modules/', '')} ${version}: ${license} (${path}/${text})`
  })
  return [
    'Polebean: Apache-2.0 (LICENSE). Inside are, each under its own licence:',
    ...lines,
    'The text beside the Node binary also holds those of what is compiled into it.',
    '',
  ].join('\n')
}
