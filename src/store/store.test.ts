import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { isStoreFailure, NewerHomeError, openStore, type Migration } from './store.ts'

const migrations: Migration[] = [
  {
    id: 'test.1',
    sql: 'create table instance (instance_id text primary key, launched_at integer, tags text) strict',
  },
]
const open = () => openStore(':memory:', migrations)
type InstanceRow = { instanceId: string; launchedAt: number | null; tags: string | null }

describe('openStore', () => {
  it('turns snake_case columns into camelCase rows and back', () => {
    const store = open()
    store.insert('instance', { instanceId: 'i-1', launchedAt: 5, tags: { name: 'web' } })
    assert.deepEqual(store.get<InstanceRow>('select * from instance'), {
      instanceId: 'i-1',
      launchedAt: 5,
      tags: '{"name":"web"}',
    })
  })
  it('undoes all of a transaction that throws, and tells nobody', () => {
    const store = open()
    const told: string[][] = []
    store.onCommit((tables) => told.push([...tables]))
    assert.throws(() =>
      store.transaction(() => {
        store.insert('instance', { instanceId: 'i-1' })
        throw new Error('no')
      }),
    )
    assert.deepEqual(store.all('select * from instance'), [])
    assert.deepEqual(told, [])
  })
  it('tells a full disk from a mistake, also where SQLite has ended the transaction by itself', () => {
    const store = open()
    const { pageCount } = store.get<{ pageCount: number }>('pragma page_count')!
    store.get(`pragma max_page_count = ${pageCount + 2}`)
    const insert = (n: number) => store.insert('instance', { instanceId: `i-${n}`, tags: 'x'.repeat(500) })
    assert.throws(
      () =>
        store.transaction(() => {
          for (let n = 0; n < 1_000; n++) insert(n)
        }),
      (error) => isStoreFailure(error),
    )
    assert.deepEqual(store.all('select * from instance'), [])
    store.transaction(() => insert(1))
    assert.equal(store.all('select * from instance').length, 1)
  })
  it('has room of its own for what is written while the disk is full, and takes it again', () => {
    const folder = mkdtempSync(join(tmpdir(), 'pbstore-'))
    const store = openStore(join(folder, 'polebean.db'), migrations)
    const { pageCount } = store.get<{ pageCount: number }>('pragma page_count')!
    assert.ok(statSync(join(folder, 'polebean.db-wal')).size > 4 << 20)
    const fill = (name: string, rows: number) =>
      store.transaction(() => {
        for (let n = 0; n < rows; n++)
          store.insert('instance', { instanceId: `i-${name}-${n}`, tags: 'x'.repeat(500) })
      })
    store.get(`pragma max_page_count = ${pageCount}`)
    fill('full', 2_000)
    store.get(`pragma max_page_count = ${pageCount * 10}`)
    fill('roomy', 5_000)
    store.reserve()
    const after = store.get<{ pageCount: number }>('pragma page_count')!
    store.get(`pragma max_page_count = ${after.pageCount}`)
    fill('again', 2_000)
    store.close()
    rmSync(folder, { recursive: true })
  })
  it('tells once, after the commit, which tables were written', () => {
    const store = open()
    const told: string[][] = []
    store.onCommit((tables) => told.push([...tables]))
    store.transaction(() => {
      store.insert('instance', { instanceId: 'i-1' })
      store.transaction(() => store.insert('instance', { instanceId: 'i-2' }))
      assert.deepEqual(told, [])
    })
    assert.deepEqual(told, [['instance']])
    store.update('instance', { instanceId: 'nobody' }, { launchedAt: 1 })
    assert.equal(told.length, 1, 'a change of no row is no change')
  })
  it('refuses a transaction that awaits', () => {
    const store = open()
    assert.throws(() => store.transaction(() => Promise.resolve()), /must not await/)
  })
  it('refuses a home that a newer Polebean wrote, and changes nothing', () => {
    const folder = mkdtempSync(join(tmpdir(), 'pbstore-'))
    const path = join(folder, 'polebean.db')
    openStore(path, [...migrations, { id: 'test.2', sql: 'create table later (id text) strict' }]).close()
    assert.throws(() => openStore(path, migrations), NewerHomeError)
    rmSync(folder, { recursive: true })
  })
})
