// `npm run release`: dist/polebean-<version>-linux-<arch>.tar.gz with its sum, for both architectures or the one of --arch,
// and dist/latest, which names the version: the folder can be a home's `releases.source`.
// A release is of a commit: the same commit gives the same bytes.
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { packArchive } from './archive.ts'
import { nodePackage } from './node-package.ts'
import { stageRelease, type Arch } from './stage.ts'

const root = join(import.meta.dirname, '../..')
const dist = join(root, 'dist')
const { values } = parseArgs({ options: { arch: { type: 'string' } } })
const asked = values.arch ?? 'x64,arm64'

try {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
  if (git('status', '--porcelain') !== '')
    throw new Error('there are changes that no commit has; a release is of a commit')
  for (const arch of asked.split(',')) {
    if (arch !== 'x64' && arch !== 'arm64') throw new Error(`${arch} is none of x64, arm64`)
    await release(version, arch)
  }
  writeFileSync(join(dist, 'latest'), `${version}\n`)
} catch (error) {
  console.error(`polebean: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
}

async function release(version: string, arch: Arch): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), 'polebean-release-'))
  try {
    const name = `polebean-${version}-linux-${arch}`
    const commit = git('rev-parse', 'HEAD')
    const nodeDir = nodePackage(root, arch, scratch)
    stageRelease({ root, dir: join(scratch, name), release: { version, commit, arch }, nodeDir })
    mkdirSync(dist, { recursive: true })
    const file = join(dist, `${name}.tar.gz`)
    const epochSeconds = Number(git('show', '--no-patch', '--format=%ct', 'HEAD'))
    const sum = await packArchive({ dir: join(scratch, name), file, epochSeconds, level: 9 })
    copyFileSync(join(root, 'tools/release/install.sh'), join(dist, 'install.sh'))
    console.log(`dist/${name}.tar.gz  ${(statSync(file).size / 1e6).toFixed(1)} MB  sha256 ${sum}`)
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

function git(...args: string[]): string {
  const said = spawnSync('git', args, { cwd: root, encoding: 'utf8' })
  if (said.status !== 0) throw new Error(`git ${args[0]}: ${said.error?.message ?? said.stderr.trim()}`)
  return said.stdout.trim()
}
