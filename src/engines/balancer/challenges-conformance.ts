// How every balancer shows authorities of certificates that names are its own: a part of conformance.ts.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { BalancerModel } from './engine.ts'
import type { Stage } from './rules-conformance.ts'

/** `stage`: asked when a test runs. */
export function describeChallenges(stage: () => Stage): void {
  const host = 'shop-1.localhost'
  const path = '/.well-known/acme-challenge/Token_1-x'
  const modelWith = (challenges?: BalancerModel['challenges']): BalancerModel => {
    const { loadBalancer, target, check } = stage()
    return {
      loadBalancers: [loadBalancer(1)],
      targetGroups: [{ id: 'group-1', healthCheck: check(), targets: [target(1)] }],
      ...(challenges === undefined ? {} : { challenges }),
    }
  }
  const ask = async (asked: string) => {
    const { status, body, by } = await stage().world.request({ host, path: asked })
    return { status, body, by }
  }

  it('answers challenges of an authority by itself, and nothing beside them', async () => {
    const { world, engine, untilHealth } = stage()
    await world.answer(1, 200)
    await engine.apply(modelWith([{ path, body: 'Token_1-x.thumb' }]))
    await untilHealth({ 'i-1': 'healthy' })
    assert.deepEqual(await ask(path), { status: 200, body: 'Token_1-x.thumb', by: null })
    assert.equal((await ask('/.well-known/acme-challenge/Token_2')).by, 'i-1')
    assert.equal((await ask('/')).by, 'i-1')
    // By whatever name: which one leads here is not asked.
    const { status, body } = await world.request({ host: 'nobody.localhost', path })
    assert.deepEqual([status, body], [200, 'Token_1-x.thumb'])
    await engine.apply(
      modelWith([
        { path, body: 'Token_1-x.other' },
        { path: `${path}y`, body: 'y' },
      ]),
    )
    assert.equal((await ask(path)).body, 'Token_1-x.other')
    assert.equal((await ask(`${path}y`)).body, 'y')
    await engine.apply(modelWith())
    assert.equal((await ask(path)).by, 'i-1')
  })

  it('refuses challenges that are none', async () => {
    const { engine } = stage()
    for (const one of [
      { path: '/x', body: 'x' },
      { path: `${path} y`, body: 'x' },
      { path, body: 'a"b' },
      { path, body: 'a\nb' },
    ])
      await assert.rejects(engine.apply(modelWith([one])), { name: 'EngineError' })
  })
}
