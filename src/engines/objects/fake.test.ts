import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { it } from 'node:test'
import { objectsConformance } from './conformance.ts'
import { makeFakeObjects } from './fake.ts'

objectsConformance('fake', () => ({ objects: makeFakeObjects(), dispose: () => undefined }))

it('the fake has a disk that can be full', async () => {
  const objects = makeFakeObjects({ bytesTotalMax: 10 })
  await objects.put('aa000001', Readable.from([Buffer.alloc(8)]), 100)
  await assert.rejects(objects.put('aa000002', Readable.from([Buffer.alloc(3)]), 100), /the disk is full/)
  await objects.remove('aa000001')
  await objects.put('aa000002', Readable.from([Buffer.alloc(3)]), 100)
})

it('the fake fails before or after the effect as it is told', async () => {
  const bodies = new Map<string, Buffer>()
  let fail: 'before' | 'after' = 'before'
  const objects = makeFakeObjects({ bodies, fault: () => ({ fail }) })
  const put = () => objects.put('aa000001', Readable.from([Buffer.from('x')]), 100)
  await assert.rejects(put(), { name: 'EngineError' })
  assert.equal(bodies.size, 0)
  fail = 'after'
  await assert.rejects(put(), { name: 'EngineError' })
  assert.equal(bodies.size, 1)
})
