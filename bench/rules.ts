// What rules and TLS cost HAProxy itself: answers of its own, so that no target is the limit. Beside a load balancer without
// rules one with a hundred, of which none applies, and one without any whose port ten others share with a hundred each.
import { makeCertificate } from '../src/kernel/test-certificate.ts'
import type {
  Action,
  BalancerModel,
  Listener,
  ListenerTls,
  LoadBalancer,
  Rule,
} from '../src/engines/balancer/engine.ts'
import { makeTestNetwork } from '../src/engines/balancer/test-network.ts'
import { inTurns, median, ratioOf, wrk, type Figure } from './measure.ts'

const ROUNDS = 5
const RULES = 100
const OTHERS = 10
const CONNECTIONS = 32
const HOST = 'shop-1.localhost'
const SAYS: Action = {
  type: 'fixed-response',
  statusCode: 200,
  contentType: 'text/plain',
  body: 'a'.repeat(200),
}
const EVERYBODY = ['0.0.0.0/0']

const rulesOf = (n: number): Rule[] =>
  Array.from({ length: n }, (_unused, index) => ({
    conditions: [{ field: 'path-pattern', patterns: [`/never-${index}/*`] }],
    action: SAYS,
  }))

const TLS: ListenerTls = { certificateIds: ['a'], minVersion: '1.2', maxVersion: '1.3', http2: true }

const loadBalancer = (n: number, rules: Rule[], tls: boolean): LoadBalancer => {
  const listener: Listener = { port: 80, rules, action: SAYS, clients: EVERYBODY }
  return {
    ...{ id: `app/balancer/${n}`, address: `10.213.1.${n}`, elasticAddress: null, internetFacing: true },
    ...{ hosts: [`shop-${n}.localhost`], loopbackPort: null, idleTimeoutSeconds: 60, cutsOnRevoke: false },
    listeners: tls ? [listener, { ...listener, port: 443, tls: TLS }] : [listener],
  }
}

export async function rules(): Promise<Figure[]> {
  const { certificate, key } = makeCertificate([HOST])
  const certificates = [{ id: 'a', pem: `${key}${certificate}` }]
  const model = (...loadBalancers: LoadBalancer[]): BalancerModel => ({
    ...{ loadBalancers, targetGroups: [], certificates },
  })
  const models = {
    none: model(loadBalancer(1, [], true)),
    own: model(loadBalancer(1, rulesOf(RULES), true)),
    others: model(
      loadBalancer(1, [], true),
      ...Array.from({ length: OTHERS }, (_unused, index) => loadBalancer(index + 2, rulesOf(RULES), false)),
    ),
  }
  const nets = await Promise.all(Object.values(models).map(() => makeTestNetwork()))
  try {
    const ports: number[] = []
    for (const [index, one] of Object.values(models).entries()) {
      await nets[index]!.engine().apply(one)
      ports.push(nets[index]!.home.ports.http)
    }
    const ask =
      (port: number, scheme = 'http') =>
      () =>
        wrk([], `${scheme}://127.0.0.1:${port}/`, { connections: CONNECTIONS, host: HOST })
    const [none = 0, own = 0, others = 0] = ports
    const values = await inTurns(ROUNDS, {
      none: ask(none),
      own: ask(own),
      others: ask(others),
      https: ask(none + 363, 'https'),
    })
    const against = `no rules, HTTP: ${median(values.none!).toFixed(0)}`
    return (
      [
        [`${RULES} rules of its own, none applies`, 'own'],
        [`${RULES} rules each of ${OTHERS} others at its port`, 'others'],
        ['HTTPS, kept connections', 'https'],
      ] as const
    ).map(([what, name]) => ({
      what,
      value: `${median(values[name]!).toFixed(0)} requests/s`,
      against,
      ratio: ratioOf(values[name]!, values.none!).toFixed(2),
      ...{ budget: '', met: '' },
    }))
  } finally {
    for (const net of nets) await net.close()
  }
}
