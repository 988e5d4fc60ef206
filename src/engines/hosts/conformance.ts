// What names of a machine promise (engine.ts), for the fake and the file alike.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { HostsEngine } from './engine.ts'

export function describeHosts(what: string, make: () => HostsEngine): void {
  describe(`hosts: ${what}`, () => {
    it('leads to the loopback what is put, and not any more what is not', async () => {
      const hosts = make()
      // Where no name server answers, a name that is not there cannot be told.
      const leads = (name: string) =>
        hosts.lookup(name).then(
          (found) => found.includes('127.0.0.1'),
          () => false,
        )
      const [one, other] = ['one.pbt.elasticbeanstalk.com', 'other.pbt.elasticbeanstalk.com']
      try {
        await hosts.put([one, other])
        assert.deepEqual([await leads(one), await leads(other)], [true, true])
        await hosts.put([other])
        assert.equal(await leads(other), true)
        assert.equal(await leads(one), false)
      } finally {
        await hosts.put([])
      }
    })
  })
}
