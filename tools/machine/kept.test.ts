import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { argvOfPlace, openKept } from './kept.ts'

describe('a run that is kept', () => {
  const folder = mkdtempSync(join(tmpdir(), 'polebean-kept-'))
  after(() => rmSync(folder, { recursive: true, force: true }))
  const disk = { folder: '', image: '/disk', kernel: '', initrd: '', key: '' }
  const step = { step: 'clone', seconds: 1, goalS: null, said: '', failed: false }

  it('goes on with what its steps left, without the guests that have been ended', async () => {
    assert.equal(openKept(folder, disk).progress, null)
    await openKept(folder, disk).save({ steps: [step], memory: [['url', 'http://a/']] }, ['ended'])
    const { progress, forget } = openKept(folder, disk)
    assert.deepEqual(progress, { steps: [step], memory: [['url', 'http://a/']], guests: [] })
    forget()
    assert.equal(existsSync(folder), false)
  })

  it('gives a guest a layer of its own, and its state when it goes on', () => {
    const place = { layer: '/k/a.qcow2', monitor: '/k/a.monitor', resume: false }
    assert.deepEqual(argvOfPlace(place), [
      ...['-drive', 'file=/k/a.qcow2,format=qcow2,if=virtio,discard=unmap'],
    ])
    assert.deepEqual(argvOfPlace({ ...place, resume: true }).slice(-2), ['-loadvm', 'after-the-last-step'])
  })
})
