import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'

const root = join(import.meta.dirname, '..')

describe('bin/polebean', () => {
  /** What Node is started with, in a clone whose Node only tells it. */
  const started = (prepare: (clone: string) => void = () => undefined) => {
    const clone = mkdtempSync(join(tmpdir(), 'polebean-launcher-'))
    try {
      mkdirSync(join(clone, 'node_modules/.bin'), { recursive: true })
      mkdirSync(join(clone, 'bin'))
      cpSync(join(root, 'bin/polebean'), join(clone, 'bin/polebean'))
      const node = join(clone, 'node_modules/.bin/node')
      writeFileSync(node, '#!/bin/sh\necho "$NODE_COMPILE_CACHE"\necho "$@"\n')
      chmodSync(node, 0o755)
      prepare(clone)
      const { NODE_COMPILE_CACHE: _unused, ...env } = process.env
      const { stdout, stderr } = spawnSync(join(clone, 'bin/polebean'), ['list', '--json'], {
        encoding: 'utf8',
        env,
      })
      assert.equal(stderr, '')
      const [cache = '', argv = ''] = stdout.replaceAll(clone, 'CLONE').split('\n')
      return { cache, argv }
    } finally {
      rmSync(clone, { recursive: true })
    }
  }

  it('starts the pinned Node, which keeps what it made of the sources', () => {
    const { cache, argv } = started()
    assert.equal(cache, 'CLONE/node_modules/.cache/polebean')
    assert.equal(argv, '--disable-warning=ExperimentalWarning CLONE/src/cli/main.ts list --json')
  })

  it('keeps nothing in a folder of somebody else’s', (t) => {
    if (process.getuid!() !== 0) return t.skip('only root can give a folder away')
    assert.equal(started((clone) => chownSync(join(clone, 'node_modules'), 65534, 65534)).cache, '')
  })
})
