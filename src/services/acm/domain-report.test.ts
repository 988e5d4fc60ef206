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
    'example.org CAA': ['issue letsencrypt.org', 'issue ;', 'issuewild other.test'],
  }
  world.acme.told = (name, type) => told[`${name} ${type}`] ?? []
  const { found, isOurs, isLocal, wanted, problems } = await world.acm.readDomain('WWW.example.org.')
  assert.deepEqual(
    { found, isOurs, isLocal, wanted },
    {
      found: { A: ['192.0.2.7'], AAAA: [] },
      ...{ isOurs: false, isLocal: false, wanted: { A: ['127.0.0.1'], AAAA: [] } },
    },
  )
  assert.match(problems.join('\n'), /acme\.directory[^]*on loopback alone/)
  const forbidden = async (name: string) =>
    (await world.acm.readDomain(name)).problems.filter((one) => /CAA/.test(one))
  world.acmeSettings.directory = 'https://acme.test/dir'
  assert.deepEqual(await forbidden('www.example.org'), [
    'CAA records of www.example.org let letsencrypt.org issue, not acme.test',
  ])
  assert.match((await forbidden('*.example.org'))[0]!, /let other\.test issue/)
  told['example.org CAA'] = ['issue acme.test; accounturi=x', 'issuewild ;']
  assert.deepEqual(await forbidden('www.example.org'), [])
  assert.match((await forbidden('*.example.org'))[0]!, /let nobody issue/)
  zoneId('example.org')
  assert.equal((await world.acm.readDomain('www.example.org')).isOurs, true)
  assert.equal((await world.acm.readDomain('shop.localhost')).isLocal, true)
  world.acme.fault = () => 'error before'
  assert.equal((await world.acm.readDomain('www.example.net')).found, null)
  await assert.rejects(world.acm.readDomain('a b'), { code: 'ValidationException' })
})
