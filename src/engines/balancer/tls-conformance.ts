// What every balancer must keep of HTTPS: a part of conformance.ts.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { makeCertificate } from '../../kernel/test-certificate.ts'
import { type BalancerModel, type Certificate, forwardTo, type Listener, listenerTo } from './engine.ts'
import type { Stage } from './rules-conformance.ts'

/** `stage`: asked when a test runs. */
export function describeTls(stage: () => Stage): void {
  const [first, second] = ['shop-1.localhost', 'shop-2.localhost']
  const made = new Map<string, string>()
  const certificate = (id: string, ...names: string[]): Certificate => {
    const key = `${id} ${names}`
    const pem = made.get(key) ?? pemOf(names)
    made.set(key, pem)
    return { id, pem }
  }
  const pemOf = (names: string[]) => {
    const { certificate: own, key } = makeCertificate(names)
    return `${key}${own}`
  }
  const https = (certificateIds: string[], group = 'group-1'): Listener => ({
    ...listenerTo(443, group, ['0.0.0.0/0']),
    tls: { certificateIds, minVersion: '1.2', maxVersion: '1.3', http2: true },
  })
  const apply = async (listeners: Listener[][], certificates: Certificate[]) => {
    const { world, engine, loadBalancer, target, check, untilHealth } = stage()
    await world.answer(1, 200)
    await engine.apply({
      loadBalancers: listeners.map((own, index) => ({ ...loadBalancer(index + 1), listeners: own })),
      targetGroups: [{ id: 'group-1', healthCheck: check(), targets: [target(1)] }],
      certificates,
    } satisfies BalancerModel)
    await untilHealth({ 'i-1': 'healthy' })
  }
  const shown = async (host: string) => (await stage().world.request({ host, tls: true })).certificate

  it('serves HTTPS beside HTTP, and shows the certificate that is for the name', async () => {
    const plain = listenerTo(80, 'group-1', ['0.0.0.0/0'])
    await apply(
      [[plain, https(['default', 'wild', 'exact'])], [https(['other'])]],
      [
        certificate('default', 'default.example'),
        certificate('wild', 'several.example', first),
        certificate('exact', 'exact', first),
        certificate('other', 'other.example'),
      ],
    )
    const { world } = stage()
    const answer = await world.request({ host: first, tls: true })
    assert.deepEqual([answer.status, answer.by, answer.certificate], [200, 'i-1', 'several.example'])
    assert.equal(await shown(second), 'other.example')
    assert.equal((await world.request({ host: first })).by, 'i-1')
    const { loopbackPort } = world.place(2)
    assert.equal((await world.request({ loopbackPort, tls: true })).certificate, 'other.example')
    await assert.rejects(async () => assert.equal((await world.request({ loopbackPort })).status, 200))
  })

  it('shows a certificate anew when its content changes, and another one when a listener names it', async () => {
    await apply([[https(['a'])]], [certificate('a', 'before')])
    assert.equal(await shown(first), 'before')
    await apply([[https(['a'])]], [certificate('a', 'after')])
    assert.equal(await shown(first), 'after')
    await apply([[https(['b'])]], [certificate('a', 'after'), certificate('b', 'b.example')])
    assert.equal(await shown(first), 'b.example')
  })

  it('redirects from HTTP to HTTPS where that is served', async () => {
    const { world } = stage()
    const toTls: Listener = {
      ...listenerTo(80, null, ['0.0.0.0/0']),
      action: {
        ...{ type: 'redirect', statusCode: 301, protocol: 'HTTPS', host: '#{host}', port: '443' },
        ...{ path: '/#{path}', query: '#{query}' },
      },
    }
    const same: Listener = {
      ...https(['a']),
      rules: [
        {
          conditions: [{ field: 'path-pattern', patterns: ['/old'] }],
          action: {
            ...{ type: 'redirect', statusCode: 302, protocol: '#{protocol}', host: '#{host}' },
            ...{ port: '#{port}', path: '/new', query: '' },
          },
        },
      ],
      action: forwardTo('group-1'),
    }
    await apply([[toTls, same]], [certificate('a', first)])
    const port = world.httpPort + 363
    const location = async (path: string, tls: boolean) =>
      (await world.request({ host: first, path, tls })).headers['location']?.toLowerCase()
    assert.equal(await location('/a?b', false), `https://${first}:${port}/a?b`)
    assert.equal(await location('/old', true), `https://${first}:${port}/new`)
    assert.equal((await world.request({ host: first, tls: true })).by, 'i-1')
  })

  it('leaves out who speaks HTTP at a port where others speak HTTPS, and says so', async () => {
    const plain = listenerTo(443, 'group-1', ['0.0.0.0/0'])
    await apply([[https(['a'])], [plain]], [certificate('a', first)])
    const { world, engine } = stage()
    assert.equal(await shown(first), first)
    const port = world.httpPort + 363
    const taken = (await engine.observe()).taken.filter(({ listenerPort }) => listenerPort === 443)
    assert.deepEqual(taken, [
      { id: 'app/balancer/2', listenerPort: 443, port, reason: `port ${port} serves HTTPS` },
    ])
  })

  it('speaks HTTP at port 80 to all, whoever wants HTTPS there', async () => {
    const secured = { ...https(['a']), port: 80 }
    await apply([[listenerTo(80, 'group-1', ['0.0.0.0/0'])], [secured]], [certificate('a', first)])
    const { world, engine } = stage()
    assert.equal((await world.request({ host: first })).by, 'i-1')
    const taken = (await engine.observe()).taken.map(({ id, reason }) => `${id}: ${reason}`)
    assert.deepEqual(taken, [`app/balancer/2: port ${world.httpPort} serves HTTP`])
  })

  it('takes a certificate whose id is any text', async () => {
    const id = 'arn:aws:iam::1:server-certificate/a!b/,shop'
    await apply([[https([id])]], [certificate(id, first)])
    assert.equal(await shown(first), first)
  })

  it('refuses a certificate that is none, or that a listener names and nobody has', async () => {
    await apply([[https(['a'])]], [certificate('a', first)])
    const bad: [Certificate[], RegExp][] = [
      [[], /certificate of a listener/],
      [[{ id: 'a', pem: 'no certificate' }], /certificate a is not PEM/],
      [[{ id: 'a', pem: `${certificate('a', first).pem}\n\nshow info\n` }], /certificate a is not PEM/],
    ]
    for (const [certificates, message] of bad)
      await assert.rejects(apply([[https(['a'])]], certificates), { name: 'EngineError', message })
    assert.equal(await shown(first), first)
  })
}
