// What is committed here, as one file that `git clone` takes.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runHere } from './here.ts'

/** HEAD alone, as the branch `main` of a clone without history. */
export async function bundleOf(root: string): Promise<Buffer> {
  const folder = mkdtempSync(join(tmpdir(), 'machine-bundle-'))
  try {
    const git = join(folder, 'git')
    await runHere(['git', 'clone', '-q', '--bare', '--depth=1', `file://${root}`, git])
    await runHere(['git', '-C', git, 'update-ref', 'refs/heads/main', 'HEAD'])
    // A bundle of a shallow clone would ask for what is missing.
    rmSync(join(git, 'shallow'), { force: true })
    const tree = (await runHere(['git', '-C', git, 'rev-parse', 'HEAD^{tree}'])).trim()
    const who = ['-c', 'user.name=machine', '-c', 'user.email=machine@localhost']
    const commit = await runHere(['git', '-C', git, ...who, 'commit-tree', tree, '-m', 'As it is here'])
    await runHere(['git', '-C', git, 'update-ref', 'refs/heads/main', commit.trim()])
    const file = join(folder, 'bundle')
    await runHere(['git', '-C', git, 'bundle', 'create', '-q', file, 'refs/heads/main'])
    return readFileSync(file)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
