// Disks are built from Debian's packages and kept outside of the repository, one folder a recipe: root.ext4, vmlinuz,
// initrd.img. Nothing writes to them afterwards: each guest has its own layer, which goes with it.
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { runHere } from './here.ts'
import { keyOf, recipeOf, type Mirrors, type Release } from './recipe.ts'

export type Disk = { folder: string; image: string; kernel: string; initrd: string; key: string }

export const CACHE = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'polebean-machine')

/** The disk of a release, built unless the cache has it. Needs root (mmdebstrap makes device files). */
export async function makeDisk(
  release: Release,
  cache: string,
  signal?: AbortSignal,
): Promise<{ disk: Disk; built: boolean }> {
  mkdirSync(cache, { recursive: true })
  const key = await ensureKey(cache)
  const recipe = recipeOf(release, await readMirrors(), readFileSync(`${key}.pub`, 'utf8').trim())
  const folder = join(cache, `debian-${release.number}-${keyOf(recipe)}`)
  const disk = {
    folder,
    image: join(folder, 'root.ext4'),
    kernel: join(folder, 'vmlinuz'),
    initrd: join(folder, 'initrd.img'),
    key,
  }
  if (existsSync(folder)) return { disk, built: false }
  const making = `${folder}.${process.pid}`
  const tree = join(making, 'tree')
  mkdirSync(making)
  try {
    const argv = recipe.argv.map((word) => (word === '{folder}' ? tree : word))
    // What it mounts is seen by itself alone, so that the tree can be removed whatever became of it.
    await runHere(['unshare', '--mount', 'mmdebstrap', '--quiet', ...argv], { signal })
    const boot = readdirSync(join(tree, 'boot'))
    for (const [name, kept] of [
      ['vmlinuz', 'vmlinuz'],
      ['initrd.img', 'initrd.img'],
    ] as const) {
      const found = boot.find((one) => one.startsWith(`${name}-`))
      if (!found) throw new Error(`mmdebstrap made no ${name} of ${release.suite}`)
      cpSync(join(tree, 'boot', found), join(making, kept))
    }
    const image = join(making, 'root.ext4')
    await runHere(['truncate', '--size', `${recipe.sizeGiB}G`, image])
    await runHere(['mkfs.ext4', '-q', '-F', '-L', 'root', '-d', tree, image], { signal })
    rmSync(tree, { recursive: true })
    // Whole or not there at all.
    renameSync(making, folder)
  } finally {
    rmSync(making, { recursive: true, force: true })
  }
  return { disk, built: true }
}

/** One key for all disks of a cache: the guests are reached from this machine alone. */
async function ensureKey(cache: string): Promise<string> {
  const key = join(cache, 'id_ed25519')
  if (!existsSync(key))
    await runHere(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', 'machine', '-f', key])
  chmodSync(key, 0o600)
  return key
}

/** Where this machine's own apt gets Debian from. */
export async function readMirrors(): Promise<Mirrors> {
  const said = await runHere(['apt-get', 'indextargets', '--format', '$(REPO_URI)', 'Created-By: Packages'])
  const [debian, security] = ['debian', 'debian-security'].map((name) =>
    said.split('\n').find((uri) => uri.replace(/\/$/, '').endsWith(`/${name}`)),
  )
  if (!debian || !security)
    throw new Error('apt on this machine knows no mirror of Debian and its security updates')
  return { debian, security }
}
