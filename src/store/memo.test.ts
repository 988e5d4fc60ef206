import assert from 'node:assert/strict'
import { beforeEach, describe, it } from 'node:test'
import { openStore, type Store } from './store.ts'

let store: Store
let computed: number

beforeEach(() => {
  store = openStore(':memory:', [
    {
      id: 'test',
      sql: `create table parent (id text primary key) strict;
            create table child (id text primary key, parent_id text references parent (id) on delete cascade) strict;
            create table other (id text primary key) strict;
            create table aside (id text primary key) strict;
            create view known as select id from child;
            create trigger echo after insert on other begin insert into parent values (new.id); end`,
    },
  ])
  computed = 0
})

const countOf = (from: string) => () => {
  computed++
  return store.all(`select * from ${from}`).length
}
const children = () => store.remember('children', countOf('child'))

describe('what is remembered', () => {
  it('is worked out once while nothing is written', () => {
    store.insert('parent', { id: 'a' })
    assert.deepEqual([children(), children(), computed], [0, 0, 1])
    store.insert('aside', { id: 'b' })
    assert.deepEqual([children(), computed], [0, 1])
  })

  it('is worked out again when its table was written, in the same transaction too, and when that is undone', () => {
    children()
    assert.throws(() =>
      store.transaction(() => {
        store.insert('child', { id: 'c', parentId: null })
        assert.equal(children(), 1)
        throw new Error('undone')
      }),
    )
    assert.equal(children(), 0)
    assert.equal(computed, 3)
  })

  it('follows what goes with a parent, what a trigger writes, and what a view shows', () => {
    const parents = () => store.remember('parents', countOf('parent'))
    const shown = () => store.remember('shown', countOf('known'))
    assert.equal(parents(), 0)
    store.insert('other', { id: 'p' })
    assert.equal(parents(), 1)
    store.insert('child', { id: 'c', parentId: 'p' })
    assert.deepEqual([children(), shown()], [1, 1])
    store.remove('parent', { id: 'p' })
    assert.deepEqual([children(), shown()], [0, 0])
  })

  it('hangs on what is remembered within it, also when that was not worked out anew, or failed', () => {
    children()
    const doubled = () => store.remember('doubled', () => children() * 2)
    const careful = () =>
      store.remember('careful', () => {
        try {
          return store.remember('failing', () => {
            if (countOf('child')() === 0) throw new Error('none')
            return 'some'
          })
        } catch {
          return 'none'
        }
      })
    assert.deepEqual([doubled(), careful()], [0, 'none'])
    store.insert('child', { id: 'c', parentId: null })
    assert.deepEqual([doubled(), careful()], [2, 'some'])
  })

  it('cannot be changed by those who are given it, and is never awaited', () => {
    store.insert('child', { id: 'c', parentId: null })
    const rows = store.remember(
      'rows',
      () => new Map([['all', store.all<{ id: string }>('select id from child')]]),
    )
    assert.throws(() => rows.get('all')!.push({ id: 'd' }), TypeError)
    assert.throws(() => (rows.get('all')![0]!.id = 'd'), TypeError)
    assert.throws(() => store.remember('later', async () => 1), /must not be awaited/)
  })
})

describe('a transaction that only reads', () => {
  it('opens none in the database, and a write within one is undone with what follows', () => {
    store.transaction(() => store.get('select 1 from parent'))
    assert.throws(() =>
      store.transaction(() => {
        store.get('select 1 from parent')
        store.insert('parent', { id: 'a' })
        store.insert('parent', { id: 'a' })
      }),
    )
    assert.equal(store.all('select * from parent').length, 0)
  })
})
