// What every authority and its client promise (engine.ts), for the fake and the real one alike.
import assert from 'node:assert/strict'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { systemClock } from '../../kernel/clock.ts'
import { newKey } from './test-der.ts'
import type { Account, AcmeEngine, Challenge, OrderState } from './engine.ts'

export type AcmeTestWorld = {
  engine: AcmeEngine
  account(): Account
  /** From now on it is answered rightly. */
  publish(challenge: Challenge): Promise<void>
  /** Lets time pass in which an authority works. */
  pass(): Promise<void>
  end?(): Promise<void>
}

const PASSES_MAX = 200

export const realTime = { pass: () => systemClock.sleep(50) }

export function describeAcme(what: string, makeWorld: () => Promise<AcmeTestWorld>): void {
  describe(`acme: ${what}`, { concurrency: 1 }, () => {
    let world: AcmeTestWorld
    before(async () => {
      world = await makeWorld()
    })
    after(() => world.end?.())

    async function reaches(url: string, ...statuses: OrderState['status'][]): Promise<OrderState> {
      for (let passes = 0; passes < PASSES_MAX; passes++, await world.pass()) {
        const state = await world.engine.look(world.account(), url)
        if (statuses.includes(state.status)) return state
      }
      throw new Error(`the order does not become ${statuses.join(' or ')}`)
    }
    const chosen = (challenges: Challenge[], type: Challenge['type']) =>
      challenges.filter((one) => one.type === type)

    async function shown(names: string[], type: Challenge['type']): Promise<string> {
      const { url, challenges } = await world.engine.order(world.account(), names)
      for (const one of chosen(challenges, type)) await world.publish(one)
      for (const one of chosen(challenges, type)) await world.engine.answer(world.account(), one)
      await reaches(url, 'ready')
      return url
    }

    it('issues to who shows names by HTTP and by DNS, also below a wildcard', async () => {
      const ways = [
        [['www.shop.example', 'api.shop.example'], 'http-01'],
        [['shop.example', '*.shop.example'], 'dns-01'],
      ] as const
      for (const [names, type] of ways) {
        const url = await shown([...names], type)
        const key = newKey()
        await world.engine.finalize(world.account(), url, [...names], key)
        await reaches(url, 'valid')
        const pem = await world.engine.certificate(world.account(), url)
        const certificate = new X509Certificate(pem)
        assert.equal((pem.match(/BEGIN CERTIFICATE/g) ?? []).length >= 1, true)
        for (const name of names)
          assert.ok(
            certificate.subjectAltName?.includes(`DNS:${name}`),
            `${name} in ${certificate.subjectAltName}`,
          )
        assert.ok(certificate.checkPrivateKey(createPrivateKey(key)))
      }
    })

    it('says why names are not shown', async () => {
      const { url, challenges } = await world.engine.order(world.account(), ['no.shop.example'])
      await world.engine.answer(world.account(), chosen(challenges, 'http-01')[0]!)
      const { problem } = await reaches(url, 'invalid')
      assert.match(problem, /no\.shop\.example/)
    })

    it('refuses to finalize what is not shown, and names that it does not know', async () => {
      const { url } = await world.engine.order(world.account(), ['pending.shop.example'])
      assert.equal((await world.engine.look(world.account(), url)).status, 'pending')
      await assert.rejects(world.engine.finalize(world.account(), url, ['pending.shop.example'], newKey()), {
        name: 'Refusal',
      })
      await assert.rejects(world.engine.order(world.account(), ['not a name']), { name: 'Refusal' })
      await assert.rejects(world.engine.look(world.account(), `${url}x`), { name: 'Refusal' })
    })

    it('says apart that nobody can be asked', async () => {
      const nobody = { ...world.account(), directory: 'https://127.0.0.1:1/dir' }
      await assert.rejects(world.engine.order(nobody, ['www.shop.example']), { name: 'EngineError' })
      await assert.rejects(world.engine.identities(nobody.directory, null), { name: 'EngineError' })
    })

    it('goes on with an order that somebody else made with the same account', async () => {
      const url = await shown(['again.shop.example'], 'http-01')
      const other = { ...world.account() }
      const key = newKey()
      await world.engine.finalize(other, url, ['again.shop.example'], key)
      await reaches(url, 'valid')
      // Whose answer was lost asks again.
      assert.equal(await world.engine.certificate(other, url), await world.engine.certificate(other, url))
    })
  })
}
