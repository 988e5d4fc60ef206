import assert from 'node:assert/strict'
import { afterEach, beforeEach, it } from 'node:test'
import { makeServicesWorld, type ServicesWorld } from '../testing/services-world.ts'
import { makeCalls } from '../route53/test-calls.ts'

let world: ServicesWorld
beforeEach(() => {
  world = makeServicesWorld()
})
afterEach(() => world.end())
const { zoneId } = makeCalls(() => world)

it('says what others are told of a name, what they should be, and what is in the way', async () => {
  const told: Record<string, string[]> = {
    'www.example.org A': ['192.0.2.7'],
    'example.org CAA': ['letsencrypt.org', ''],
  }
  world.acme.told = (name, type) => told[`${name} ${type}`] ?? []
  const { found, isOurs, isLocal, wanted, problems } = await world.acm.readDomain('WWW.example.org.')
  assert.deepEqual(
    { found, isOurs, isLocal, wanted },
    {
      found: { A: ['192.0.2.7'], AAAA: [], CAA: ['letsencrypt.org'] },
      ...{ isOurs: false, isLocal: false, wanted: { A: ['127.0.0.1'], AAAA: [] } },
    },
  )
  assert.match(
    problems.join('\n'),
    /acme\.directory[^]*on loopback alone[^]*let these alone issue: letsencrypt\.org$/,
  )
  zoneId('example.org')
  assert.equal((await world.acm.readDomain('www.example.org')).isOurs, true)
  assert.equal((await world.acm.readDomain('shop.localhost')).isLocal, true)
  world.acme.fault = () => 'error before'
  assert.equal((await world.acm.readDomain('www.example.net')).found, null)
  await assert.rejects(world.acm.readDomain('a b'), { code: 'ValidationException' })
})
