// A line of HAProxy's log for a request, and what it says. Every request of a load balancer that logs them has one; of the
// others about SAMPLES_PER_SECOND of each target group, which tell how many they stand for: a line for each would cost a
// tenth of the speed. Failures of a connection to a target always have one.
import type { Answer, Backend } from './names.ts'
import { answersOf, backendsOf } from './names.ts'
import { ownPortsOf } from './own-ports.ts'
import type { BalancerModel, LoadBalancer, RequestEntry } from './engine.ts'

const SAMPLES_PER_SECOND = 20

/** Of HAProxy's longest line: what a URI and a User-Agent of usual length need. Longer ones are cut at the end. */
export const LINE_BYTES_MAX = 8_192
/** Of a request's first line, which is escaped to three times that at most. */
const REQUEST_BYTES_MAX = 2_048

export const logGlobalLine = `  tune.http.logurilen ${REQUEST_BYTES_MAX}`

// In this order; those in quotes come after them, since one of them may be cut. `json` leaves nothing unprintable in a line.
const FIELDS = {
  ...{ at: '%[date(0,ms)]', client: '%ci', clientPort: '%cp', frontend: '%f', backend: '%b', server: '%s' },
  ...{ target: '%si', targetPort: '%sp', received: '%TR', queued: '%Tw', connected: '%Tc', answered: '%Tr' },
  ...{ all: '%Ta', status: '%ST', ended: '%ts', bytesIn: '%U', bytesOut: '%B', rate: '%[var(txn.rate)]' },
  ...{ logged: '%[var(txn.logged)]', rule: '%[var(txn.rule)]', protocol: '%sslv', cipher: '%sslc' },
}
type Field = keyof typeof FIELDS
const NAMES = Object.keys(FIELDS) as Field[]
const TEXTS = ['ssl_fc_sni', 'var(txn.host)', 'var(txn.agent)', 'var(txn.trace)', 'var(txn.location)']

export const logFormatLine = `  log-format "request ${[
  ...Object.values(FIELDS),
  '%{+Q}r',
  ...TEXTS.map((sample) => `%{+Q}[${sample},json]`),
].join(' ')}"`

/** No line for what goes through here. */
export const SILENT = 'http-request set-log-level silent'

/** Of a backend, or an answer: what is logged of its requests. */
export const requestLogLines = ({ logsRequests = false }: LoadBalancer): string[] =>
  logsRequests
    ? [
        'http-request set-var(txn.logged) int(1)',
        'http-request set-var(txn.host) req.hdr(host)',
        'http-request set-var(txn.agent) req.fhdr(user-agent)',
        'http-request set-var(txn.trace) req.hdr(x-amzn-trace-id)',
      ]
    : [
        'http-response set-var(txn.rate) be_sess_rate',
        // rand × rate > SAMPLES × 1000 happens to all but SAMPLES a second.
        `http-response set-log-level silent if { rand(1000),mul(txn.rate) gt ${SAMPLES_PER_SECOND * 1_000} }`,
      ]

/** What names in lines stand for. A line of what is not there any more says nothing. */
export type LineNames = {
  backends: ReadonlyMap<string, Backend>
  answers: ReadonlyMap<string, Answer>
  /** Frontends of loopback ports → listener port. */
  loopback: ReadonlyMap<string, { loadBalancer: LoadBalancer; port: number }>
}

/** Those of a model too. What is not carried any more is known for a while: its lines may not have been read. */
export function withNames(before: LineNames | undefined, model: BalancerModel): LineNames {
  const known = before && before.backends.size + before.answers.size < FORMER_MAX ? before : undefined
  const byName = <T extends { name: string }>(all: T[]) => all.map((one) => [one.name, one] as const)
  const loopback = model.loadBalancers.flatMap((loadBalancer) =>
    ownPortsOf(loadBalancer).flatMap(({ name, listener }) =>
      listener ? [[name, { loadBalancer, port: listener.port }] as const] : [],
    ),
  )
  return {
    backends: new Map([...(known?.backends ?? []), ...byName(backendsOf(model))]),
    answers: new Map([...(known?.answers ?? []), ...byName(answersOf(model))]),
    loopback: new Map([...(known?.loopback ?? []), ...loopback]),
  }
}
const FORMER_MAX = 10_000

/** `2026-11-24_00:21:07.40350 request 1795796041917 …`, as svlogd keeps it. Undefined for any other line. */
export function parseRequestLine(line: string, names: LineNames): RequestEntry | undefined {
  const start = line.indexOf('request ')
  // Only svlogd's stamp stands before it; what a client sends does not look like one.
  if (start < 0 || start > STAMP_LENGTH_MAX) return undefined
  const quote = line.indexOf(' "', start)
  const words = line.slice(start + 'request '.length, quote).split(' ')
  if (quote < 0 || words.length !== NAMES.length) return undefined
  const said = Object.fromEntries(NAMES.map((name, index) => [name, words[index]])) as Record<Field, string>
  const to = names.backends.get(said.backend)
  const answer = names.answers.get(said.backend)
  const own = names.loopback.get(said.frontend)
  const loadBalancer = to?.loadBalancer ?? answer?.loadBalancer ?? own?.loadBalancer
  if (!loadBalancer) return undefined
  const { request, texts } = textsOf(line.slice(quote + 1))
  const [serverName = '', host = '', userAgent = '', traceId = '', location = ''] = texts
  const number = (name: Field) => (said[name] === '-' ? -1 : Number(said[name]))
  const isAnswered = number('answered') >= 0
  return {
    ...{ id: loadBalancer.id, at: number('at'), client: said.client, clientPort: number('clientPort') },
    listenerPort: own?.port ?? Number(/^(?:public|vpc)-(\d+)/.exec(said.frontend)?.[1] ?? 0),
    targetGroupId: to?.group.id ?? null,
    target: said.target === '-' ? null : targetAt(to, said.target, number('targetPort')),
    action: answer?.action.type ?? (to ? 'forward' : null),
    requestMs: isAnswered ? Math.max(0, number('queued')) + Math.max(0, number('connected')) : -1,
    targetMs: number('answered'),
    totalMs: Math.max(number('all'), number('received'), 0),
    status: Math.max(0, number('status')),
    isOfTarget: isAnswered,
    ended: said.ended,
    bytesIn: number('bytesIn'),
    bytesOut: number('bytesOut'),
    weight: Math.max(1, number('rate') / SAMPLES_PER_SECOND),
    isLogged: said.logged === '1',
    rule: Math.max(0, number('rule')),
    tls: said.protocol === '-' ? null : { protocol: said.protocol, cipher: said.cipher, serverName },
    ...{ request, host, userAgent, traceId, location },
  }
}

function targetAt(to: Backend | undefined, address: string, port: number): RequestEntry['target'] {
  const known = to?.group.targets.find((one) => one.address === address && one.port === port)
  return { id: known?.id ?? null, address, port }
}

const STAMP_LENGTH_MAX = 27
/** `"GET / HTTP/1.1" "" "shop.example"`: of the first, characters that are not plain are `#` and two hexadecimal digits. */
function textsOf(quoted: string): { request: string; texts: string[] } {
  const end = quoted.indexOf('"', 1)
  // One that was cut has no end.
  if (end < 0) return { request: quoted.slice(1), texts: [] }
  const request = quoted.slice(1, end)
  try {
    return {
      request,
      texts: JSON.parse(
        `[${quoted
          .slice(end + 1)
          .trim()
          .replaceAll('" "', '","')}]`,
      ) as string[],
    }
  } catch {
    return { request, texts: [] }
  }
}
