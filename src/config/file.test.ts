import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { makeLog } from '../kernel/log.ts'
import { systemClock } from '../kernel/clock.ts'
import { readConfig } from './file.ts'
import { followConfig } from './follow.ts'
import type { Key } from './settings.ts'

const base = mkdtempSync(join(tmpdir(), 'config-'))
after(() => rmSync(base, { recursive: true }))
const notRoot = process.getuid!() === 0 ? false : 'only root must not trust what others wrote'

let count = 0
const home = (text?: string | Buffer): string => {
  const dir = join(base, String(++count))
  mkdirSync(dir)
  if (text !== undefined) write(dir, text)
  return dir
}
const write = (dir: string, text: string | Buffer) =>
  writeFileSync(join(dir, 'config.yaml'), text, { mode: 0o644 })

describe('config.yaml of a home', () => {
  it('gives what it says, the flags win, and without it there are the defaults', () => {
    assert.deepEqual(readConfig(home()).listeners, { http: null, publicAddresses: [] })
    const dir = home('listeners.http: 8088\nlimits.instances: 3\n')
    const flags = new Map<Key, unknown>([['listeners.http', 8090]])
    const { listeners, limits } = readConfig(dir, flags)
    assert.deepEqual([listeners.http, limits.instances, limits.environments], [8090, 3, 200])
  })
  it('is refused with file and line, the first five at once', () => {
    const dir = home('a: 1\nb: 1\nc: 1\nd: 1\ne: 1\nf: 1\ng: 1\n')
    assert.throws(
      () => readConfig(dir),
      (error: Error) => {
        const lines = error.message.split('\n')
        assert.ok(lines[4]!.startsWith(`${dir}/config.yaml:5: there is no setting e`))
        return lines.length === 6 && lines[5] === 'and 2 more'
      },
    )
  })
  it('is a small text file, or it is not read', { timeout: 5_000 }, () => {
    assert.throws(() => readConfig(home(Buffer.alloc(10 * 2 ** 20, '#'))), /has more than 64 KiB/)
    assert.throws(() => readConfig(home(Buffer.from([0x61, 0xff]))), /is not text in UTF-8/)
    const linked = home()
    symlinkSync('/etc/passwd', join(linked, 'config.yaml'))
    assert.throws(() => readConfig(linked), /is a symbolic link/)
    const folder = home()
    mkdirSync(join(folder, 'config.yaml'))
    assert.throws(() => readConfig(folder), /is not a file/)
    const pipe = home()
    assert.equal(spawnSync('mkfifo', [join(pipe, 'config.yaml')]).status, 0)
    assert.throws(() => readConfig(pipe), /is not a file/)
  })
  it('is not obeyed by root where others may write it', { skip: notRoot }, () => {
    const dir = home('limits.instances: 3\n')
    const path = join(dir, 'config.yaml')
    chmodSync(path, 0o664)
    assert.throws(() => readConfig(dir), /chown root .*; chmod go-w/)
    chmodSync(path, 0o644)
    chownSync(path, 54_321, 0)
    assert.throws(() => readConfig(dir), /can be written by other users/)
  })
})

describe('a running server', () => {
  it('follows at once what takes effect at once, and keeps what is in force when the file breaks', () => {
    const dir = home('listeners.http: 8088\nlimits.instances: 3\n')
    const said: string[] = []
    const config = followConfig(
      dir,
      new Map(),
      makeLog(systemClock, (line) => void said.push(line)),
    )
    const inForce = () => [config.now().listeners.http, config.now().limits.instances]
    write(dir, 'listeners.http: 8089\nlimits.instances: 4\n')
    assert.deepEqual(inForce(), [8088, 3])
    config.look()
    assert.deepEqual(inForce(), [8088, 4])
    assert.deepEqual([config.problem(), said], [null, []])
    write(dir, 'limits.instances: many\n')
    config.look()
    config.look()
    assert.deepEqual(inForce(), [8088, 4])
    assert.match(config.problem() ?? '', /config\.yaml:1: limits\.instances must be/)
    assert.equal(said.length, 1)
    assert.match(said[0]!, /"level":"warn".*config\.yaml:1/)
    write(dir, '')
    config.look()
    assert.deepEqual([...inForce(), config.problem()], [8088, null, null])
    assert.equal(config.sources().get('listeners.http')?.source, 'file')
  })
  it('does not start with a broken file', () => {
    assert.throws(
      () =>
        followConfig(
          home('x: 1\n'),
          new Map(),
          makeLog(systemClock, () => undefined),
        ),
      /config\.yaml:1/,
    )
  })
})
