// `sudo polebean down --purge` takes away what the user who called sudo has of the home, and nothing of another home.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { linkFolder, linkOf } from './links.ts'

const skip = process.getuid!() === 0 ? false : 'needs root'

describe('the files of a user about a home that is deleted', { skip }, () => {
  const dir = mkdtempSync(join(tmpdir(), 'forget-'))
  after(() => rmSync(dir, { recursive: true }))
  const UID = 54_321
  process.env['HOME'] = dir
  delete process.env['XDG_STATE_HOME']
  const link = (id: string) => linkOf(id, dir)?.name
  const config = join(dir, '.aws/config')
  const profile = (port: number) =>
    `[default]\nregion = eu-west-1\n[profile polebean]\nregion = us-west-2\nendpoint_url = http://127.0.0.1:${port}\n`

  /** As root with the variables that sudo sets, in a machine whose table of users has one more. */
  const forget = (id: string, api: number) => {
    const code = `
      const { forgetHome } = await import(${JSON.stringify(join(import.meta.dirname, 'forget-home.ts'))})
      forgetHome({ id: ${JSON.stringify(id)}, ports: { api: ${api} } })
      console.log(process.geteuid())`
    const users = join(dir, 'passwd')
    writeFileSync(users, `root:x:0:0::/root:/bin/sh\nada:x:${UID}:${UID}::${dir}:/bin/sh\n`)
    const script = 'mount --bind "$1" /etc/passwd && exec "$2" --input-type=module -e "$3"'
    const ran = spawnSync('unshare', ['-m', 'sh', '-c', script, 'sh', users, process.execPath, code], {
      encoding: 'utf8',
      env: { ...process.env, HOME: join(dir, 'root'), SUDO_UID: String(UID), SUDO_GID: String(UID) },
    })
    assert.deepEqual([ran.stdout, ran.stderr.replace(/^.*ExperimentalWarning.*\n.*\n/m, '')], ['0\n', ''])
  }

  it('go, as that user, when they are about this home', () => {
    mkdirSync(join(dir, '.aws'))
    writeFileSync(config, profile(4777))
    for (const id of ['aaaaaa', 'bbbbbb']) linkFolder(id, dir, { name: 'shop', id: 'e-1' })
    for (const path of ['', ...readdirSync(dir, { recursive: true })])
      chownSync(join(dir, String(path)), UID, UID)
    forget('aaaaaa', 4778)
    assert.deepEqual([link('aaaaaa'), link('bbbbbb')], [undefined, 'shop'])
    assert.equal(readFileSync(config, 'utf8'), profile(4777), 'it leads to another home')
    forget('bbbbbb', 4777)
    assert.equal(link('bbbbbb'), undefined)
    assert.equal(readFileSync(config, 'utf8'), '[default]\nregion = eu-west-1\n')
    assert.equal(statSync(config).uid, UID)
  })
})
