// What every balancer must say for want of a target's answer: a part of conformance.ts.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { type ErrorPage, listenerTo } from './engine.ts'
import type { Stage } from './rules-conformance.ts'

/** `stage`: asked when a test runs. */
export function describePages(stage: () => Stage): void {
  const host = 'shop-1.localhost'
  const apply = (page?: ErrorPage | null, unknownHost?: string, reason?: string) => {
    const { engine, loadBalancer, target, check } = stage()
    return engine.apply({
      loadBalancers: [
        {
          ...loadBalancer(1),
          ...(page === undefined ? {} : { page }),
          listeners: [listenerTo(80, 'group-1', ['0.0.0.0/0'])],
        },
        loadBalancer(2),
      ],
      targetGroups: [
        {
          ...{ id: 'group-1', healthCheck: check(), targets: [target(1)] },
          ...(reason === undefined ? {} : { reason }),
        },
      ],
      ...(unknownHost === undefined ? {} : { unknownHost }),
    })
  }
  const AWS =
    '<html>\r\n<head><title>503 Service Temporarily Unavailable</title></head>\r\n<body>\r\n' +
    '<center><h1>503 Service Temporarily Unavailable</h1></center>REASON\r\n</body>\r\n</html>\r\n'

  it("answers in AWS's words, and tells clients on this machine why", async () => {
    const { world, untilHealth } = stage()
    await world.answer(1, null)
    await apply()
    await untilHealth({ 'i-1': 'unhealthy' })
    const plain = await world.request({ host })
    assert.deepEqual([plain.status, plain.body], [503, AWS.replace('REASON', '')])
    await apply({ reason: `No "instance" is <healthy>: 100% of \\ 'é'; see #1.`, html: null })
    const told = `<p>No &#34;instance&#34; is &#60;healthy&#62;: 100&#37; of &#92; &#39;&#233;&#39;; see &#35;1.</p>`
    assert.equal((await world.request({ host })).body, AWS.replace('REASON', told))
    const { loopbackPort } = world.place(1)
    assert.equal((await world.request({ loopbackPort })).body, AWS.replace('REASON', told))
    const headers = { 'x-forwarded-for': '192.0.2.1' }
    assert.equal((await world.request({ host, headers })).body, AWS.replace('REASON', ''))
    await apply({ reason: 'Another one.', html: null })
    assert.match((await world.request({ host })).body, /<p>Another one\.<\/p>/)
    await apply({ reason: 'Another one.', html: null }, undefined, 'This group has nobody.')
    assert.match((await world.request({ host })).body, /<p>This group has nobody\.<\/p>/)
  })

  it("has a load balancer's own page in its place", async () => {
    const { world } = stage()
    const html = `<!doctype html>\n<p style="width:100%">Back "soon" é \\n %[src] ' # {x}</p>\n<b>#{reason}</b>\n`
    await apply({ reason: 'Here is why.', html })
    const { status, body } = await world.request({ host })
    assert.deepEqual([status, body], [503, html.replace('#{reason}', '<p>Here is why.</p>')])
    await apply(null)
    assert.equal((await world.request({ host })).body, AWS.replace('REASON', ''))
  })

  it('tells clients on this machine which names there are', async () => {
    const { world } = stage()
    await apply(null, 'There are: a.localhost, b.localhost.')
    const { status, body } = await world.request({ host: 'nobody.localhost' })
    assert.deepEqual(
      [status, body],
      [404, 'No environment answers to this name.\nThere are: a.localhost, b.localhost.'],
    )
    await apply()
    assert.equal(
      (await world.request({ host: 'nobody.localhost' })).body,
      'No environment answers to this name.\n',
    )
  })
}
