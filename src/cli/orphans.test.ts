import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { orphansAmong } from './orphans.ts'

const facts = (home: string | undefined) => ({
  ...{
    namespaces: ['pb-abcdef'],
    interfaces: [],
    tables: [],
    cgroups: [],
    mounts: [],
    loops: [],
    accepts: [],
    hosts: [],
  },
  runFolders: [{ id: 'abcdef', home }],
})

describe('an orphan', () => {
  const cases: [
    what: string,
    dir: string | undefined,
    there: string | undefined,
    ids: string[],
    damaged: string[],
    orphan: boolean,
  ][] = [
    ['its folder is gone', '/srv/home', undefined, [], [], true],
    ['another home is in its folder', '/srv/home', 'zzzzzz', [], [], true],
    ['nobody knows where it was', undefined, undefined, ['zzzzzz'], [], true],
    ['nobody knows where it was, and a home is damaged', undefined, undefined, [], ['/srv/other'], false],
    ['its home is there', '/srv/home', 'abcdef', [], [], false],
    ['its home.json cannot be read', '/srv/home', '', [], [], false],
    ['it claims ports', undefined, undefined, ['abcdef'], [], false],
    ['it moved, and claims ports', '/srv/home', undefined, ['abcdef'], [], false],
  ]
  for (const [what, dir, there, ids, damaged, orphan] of cases)
    it(`${orphan ? 'is one when' : 'is none when'} ${what}`, () => {
      const found = orphansAmong(facts(dir), { ids, damaged }, () => there)
      assert.deepEqual(
        found.map(({ id }) => id),
        orphan ? ['abcdef'] : [],
      )
    })
})
