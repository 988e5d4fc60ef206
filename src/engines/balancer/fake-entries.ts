// What the fake balancer says of a request that ended.
import type { Action, Listener, LoadBalancer, RequestEntry, Target, TargetGroup } from './engine.ts'
import type { FakeAnswer, MatchedRequest } from './match.ts'

type Ended = {
  loadBalancer: LoadBalancer
  listener: Listener
  request: MatchedRequest
  action: Action
  priority: number
  answer: FakeAnswer
  group: TargetGroup | undefined
  target: Target | undefined
  at: number
  /** It stands for so many. */
  times: number
}

export function entryOf(ended: Ended): RequestEntry {
  const { loadBalancer, listener, request, action, priority, answer, group, target, at, times } = ended
  const isOfTarget = answer.targetId !== null
  const told = (text: string | undefined) => (loadBalancer.logsRequests ? (text ?? '') : '')
  return {
    ...{ id: loadBalancer.id, at, client: request.from, clientPort: 40_000, listenerPort: listener.port },
    targetGroupId: group?.id ?? null,
    target: target ? { id: target.id, address: target.address, port: target.port } : null,
    action: action.type,
    ...{ requestMs: isOfTarget ? 0 : -1, targetMs: isOfTarget ? 1 : -1, totalMs: 1 },
    ...{ status: answer.status, isOfTarget, ended: '--', bytesIn: 100, bytesOut: 200, weight: times },
    isLogged: loadBalancer.logsRequests === true,
    rule: loadBalancer.logsRequests ? priority : 0,
    tls: listener.tls
      ? { protocol: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', serverName: request.host }
      : null,
    request: `${request.method} ${request.path} HTTP/1.1`,
    host: told(request.host),
    userAgent: told(request.headers['user-agent']),
    traceId: told(request.headers['x-amzn-trace-id']),
    location: told(answer.headers['location']),
  }
}
