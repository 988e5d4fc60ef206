// The qemu that emulates. That of Debian 12 (7.2) makes V8 die now and then (decision 012), so where this machine has none
// that is newer, the one of the newest Debian is unpacked into the cache: nothing is installed.
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { readMirrors } from './disk.ts'
import { runHere } from './here.ts'
import { RELEASES } from './recipe.ts'

const PROGRAM = 'qemu-system-x86_64'
const MAJOR_MIN = 8

/** The words that a command line of qemu begins with. */
export async function findEmulator(cache: string, signal?: AbortSignal): Promise<string[]> {
  const said = await runHere([PROGRAM, '--version']).catch(() => '')
  if (majorOf(said) >= MAJOR_MIN) return [PROGRAM]
  const { suite } = RELEASES.at(-1)!
  const tree = join(cache, `qemu-${suite}`)
  if (!existsSync(tree)) {
    const { debian } = await readMirrors()
    const making = `${tree}.${process.pid}`
    try {
      mkdirSync(cache, { recursive: true })
      const options = ['--quiet', '--mode=root', '--variant=extract', '--format=directory']
      const packages = ['--include=qemu-system-x86', '--aptopt=APT::Install-Recommends "false"']
      const from = [suite, making, `deb ${debian} ${suite} main`]
      await runHere(['unshare', '--mount', 'mmdebstrap', ...options, ...packages, ...from], { signal })
      renameSync(making, tree)
    } finally {
      rmSync(making, { recursive: true, force: true })
    }
  }
  // Its own libraries, by its own loader.
  const libraries = join(tree, 'usr/lib/x86_64-linux-gnu')
  return [
    ...[join(libraries, 'ld-linux-x86-64.so.2'), '--library-path', libraries, join(tree, 'usr/bin', PROGRAM)],
    ...['qemu', 'seabios'].flatMap((name) => ['-L', join(tree, 'usr/share', name)]),
  ]
}

/** Pure: of `qemu --version`; 0 of anything else. */
export const majorOf = (said: string): number => Number(/^QEMU emulator version (\d+)\./.exec(said)?.[1] ?? 0)
