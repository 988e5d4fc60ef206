// The pinned Node of an architecture: npm installs only that of this machine, so another is fetched and held against the
// lock file.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Arch } from './stage.ts'

/** The folder of the package: the installed one, or unpacked below `scratch`. */
export function nodePackage(root: string, arch: Arch, scratch: string): string {
  const path = `node_modules/node-linux-${arch}`
  if (existsSync(join(root, path, 'bin/node'))) return join(root, path)
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { version: string; integrity: string }>
  }
  const { version, integrity } = lock.packages[path]!
  const said = run('npm', [
    'pack',
    `node-linux-${arch}@${version}`,
    '--silent',
    `--pack-destination=${scratch}`,
  ])
  const file = join(scratch, said.trim().split('\n').at(-1)!)
  const found = `sha512-${createHash('sha512').update(readFileSync(file)).digest('base64')}`
  if (found !== integrity)
    throw new Error(`node-linux-${arch}@${version} is not the one of package-lock.json`)
  const dir = join(scratch, 'node-package')
  mkdirSync(dir)
  run('tar', ['-xzf', file, '-C', dir, '--strip-components=1', '--no-same-owner'])
  return dir
}

function run(file: string, args: string[]): string {
  const { status, stdout, error } = spawnSync(file, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  if (status !== 0) throw new Error(`${file} ${args[0]} failed (${error?.message ?? `exit ${status}`})`)
  return stdout
}
