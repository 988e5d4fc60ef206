// From the clone to a release, from one release to the next, and back: the service runs each, and no request is lost.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { addMigration, makeReleases } from '../../../test/support/releases.ts'
import type { Guest } from '../guest.ts'
import { startLoad } from '../load.ts'
import type { World } from '../scenario.ts'
import { same, SERVER_ANSWERS, stateOf } from '../state.ts'

export async function upgrade({ guest, memory }: World): Promise<string> {
  const [old, next] = await bring(guest)
  const before = await stateOf(guest)
  const load = await startLoad(guest, memory.get('localUrl') ?? '')
  await guest.run(`sudo sh install.sh ${old} && sudo polebean service install`)
  await runs(guest, '9.0.0')
  same(before, await stateOf(guest), 'the way from the clone to a release')

  await guest.run(`sudo polebean upgrade ${next}`)
  await runs(guest, '9.0.1')
  same(before, await stateOf(guest), 'the upgrade')
  // The database is newer than the code, so it must be refused, and named.
  const refused = await guest.run(`{ sudo polebean upgrade ${old} 2>&1 && exit 1; } || true`)
  if (!/--rollback/.test(refused)) throw new Error(`a downgrade was answered by: ${refused}`)

  await guest.run('sudo polebean upgrade --rollback --force')
  await runs(guest, '9.0.0')
  const answered = await load.end()
  same(before, await stateOf(guest), 'the way back')
  await guest.run(`rm ${old} ${next} *.sha256 install.sh`)
  return `from the clone, to the next, and back: ${answered} requests, none failed`
}

async function bring(guest: Guest): Promise<[string, string]> {
  const folder = mkdtempSync(join(tmpdir(), 'machine-releases-'))
  try {
    const build = makeReleases(folder)
    const files = [await build('9.0.0'), await build('9.0.1', (edit) => addMigration(edit, 'of_901'))]
    for (const file of files.flatMap((one) => [one, `${one}.sha256`]))
      await guest.run(`cat >${basename(file)}`, { stdin: readFileSync(file) })
    await guest.run('cat >install.sh', {
      stdin: readFileSync(new URL('../../release/install.sh', import.meta.url)),
    })
    return files.map((file) => basename(file)) as [string, string]
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The service runs the release of this version, and its server answers. */
async function runs(guest: Guest, version: string): Promise<void> {
  await guest.run(SERVER_ANSWERS)
  const said = await guest.root(
    'readlink /proc/$(systemctl show -P MainPID polebean.service)/exe; polebean --version',
  )
  if (!said.startsWith(`/opt/polebean/${version}/`) || !said.includes(`polebean ${version} `))
    throw new Error(`${version} should run, and this does: ${said}`)
}
