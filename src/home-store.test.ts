import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { openHomeStore, openLogEvents } from './home-store.ts'
import { readHome } from './home.ts'

const dir = join(mkdtempSync(join(tmpdir(), 'home-store-')), 'home')
after(() => rmSync(join(dir, '..'), { recursive: true }))

describe('the files of a home', () => {
  mkdirSync(dir)
  const ports = { api: 4777, http: 80, environments: 18_000 }
  writeFileSync(join(dir, 'home.json'), JSON.stringify({ format: 1, id: 'abc123', ports }))
  const home = readHome(dir)!
  const damage = (name: string) => {
    const path = join(dir, name)
    rmSync(path, { force: true })
    writeFileSync(path, 'x'.repeat(8_192))
    return path
  }

  it('put damaged log events aside, and begin anew', () => {
    const path = damage('logs.db')
    const { logEvents, broken } = openLogEvents(home)
    assert.equal(broken, `${path}.broken`)
    assert.equal(readFileSync(broken, 'utf8'), 'x'.repeat(8_192))
    assert.deepEqual(logEvents.all('select * from log_stream'), [])
    logEvents.close()
    const again = openLogEvents(home)
    assert.equal(again.broken, null)
    again.logEvents.close()
  })
  it('never go on without the database itself', () => {
    const path = damage('polebean.db')
    assert.throws(() => openHomeStore(home), /not a database/)
    assert.equal(existsSync(`${path}.broken`), false)
  })
})
