// What carries requests from listeners to targets (design §10). One engine serves all load balancers of a home.
//
// Contract, checked by conformance.ts:
// - `apply(model)` makes the engine carry exactly this model; the same model again costs nothing and disturbs nobody.
//   It resolves when new connections follow the model. A model that the engine refuses throws EngineError, and the
//   previous one stays in force.
// - A target that was never seen healthy gets no request, unless every target of its group is unhealthy and at least
//   one had its first checks (fail open, as an Application Load Balancer does).
// - A `draining` target gets no new request; what is in flight on it is answered.
// - A port of this machine that another program has is left out, and so is one that the model itself wants twice; all
//   else is carried. `observe().taken` says so, and a later `apply` takes the port once it is free.
// - `observe` by an engine that has not applied a model in its life changes nothing: another process may look so.
// - A client outside of the VPC is let in by its own address: a new connection from elsewhere than a listener's `clients`
//   is closed without an answer. Clients in the VPC are the firewall's. Connections that are there stay.
// - A target that leaves a group without checks gets no new request from then on; what is in flight on it is answered.
// - `requests` answers each entry once to who goes on from the position that came with the last; entries are kept for a while also
//   when nobody asks, and while the control plane is dead.
// - `clients` says who is let in at each listener, read from where it is enforced and not from what was asked for.
// - The engine keeps carrying traffic while the control plane is dead, and returns by itself when it is killed.

// - A listener's rules are asked in their order, and the first whose conditions all hold says what is done; else `action`.
// - Of a forward's target groups each gets requests by its weight. A group without healthy targets gets its share too, as in
//   AWS. A sticky one sends a client, by a cookie, where its first request went.
// - A listener with `tls` is spoken to by HTTPS only. At a port of this machine that several load balancers share, all speak
//   HTTPS once one does, and HTTP at port 80; the others are left out (`taken`).
// - A listener of a network load balancer passes connections on as they are, and has its port of this machine alone: where load
//   balancers of HTTP have it, or another of its kind has it already, it is left out (`taken`). Connections that are there stay
//   through every change but the death of the engine, and five minutes beyond a reload.
// - A certificate whose content changes is shown in new handshakes from then on; no connection ends.
// - A challenge is answered before any rule.
// - A redirect and a fixed response are answered by the balancer itself, at public sockets only to whom the listener lets in.

export { clientRanges, isRange } from './clients.ts'
export { loopbackListener } from './own-ports.ts'
export { forwardTo, listenerTo, targetGroupIdsOf } from './actions.ts'
export { hasPublicHttp } from './wanted-ports.ts'
export { isPage } from './error-pages.ts'
export { certificateFor, type Certificates } from './certificates.ts'

export type HealthCheck = {
  /** HTTPS: any certificate will do. */
  protocol: 'HTTP' | 'HTTPS' | 'TCP'
  /** null = the target's own port. */
  port: number | null
  path: string
  intervalSeconds: number
  timeoutSeconds: number
  healthyThreshold: number
  unhealthyThreshold: number
  /** Codes that pass, as AWS writes them: `200`, `200,302`, `200-399`. */
  matcher: string
}

export type Target = { id: string; address: string; port: number; draining: boolean }

export type TargetGroup = {
  id: string
  /** How its targets are spoken to; by HTTPS whatever certificate they show, as AWS does. Absent = HTTP. TCP: of network load balancers. */
  protocol?: 'HTTP' | 'HTTPS' | 'TCP'
  /** Its targets are told the client's address first (PROXY protocol, version 2); of TCP. */
  proxyProtocol?: boolean
  /** null = its targets are not checked, and get requests as long as they are there. */
  healthCheck: HealthCheck | null
  targets: Target[]
  /** A sentence for clients on this machine for whom it has no target, in place of the load balancer's. */
  reason?: string
  /** Absent = in turn, at once, and to any. */
  routing?: TargetGroupRouting
}

/** How a target group's requests are shared out among its healthy targets. */
export type TargetGroupRouting = {
  algorithm: 'round_robin' | 'least_outstanding_requests' | 'weighted_random'
  /** For so long after it became healthy a target's share grows; 0 = it has the whole share at once. */
  slowStartSeconds: number
  stickiness: Stickiness | null
}

/**
 * A client stays with its target for so long after its last answer, while that is healthy and does not drain.
 * `applicationCookie`: only from where the application sets this cookie, and while the client sends it; null = from the first
 * answer on.
 */
export type Stickiness = { seconds: number; applicationCookie: string | null }

/** `weight` 0–999, of the sum of all. */
export type WeightedTargetGroup = { targetGroupId: string; weight: number }

export type Action =
  /** To none, or to weights that are all 0: 503. `stickySeconds`: how long a client stays with a target group; null = it does not. */
  | { type: 'forward'; targetGroups: WeightedTargetGroup[]; stickySeconds: number | null }
  /** The parts of the URI; in each, `#{protocol}`, `#{host}`, `#{port}`, `#{path}` (without its first /) and `#{query}` stand
   *  for those of the request. */
  | {
      type: 'redirect'
      statusCode: 301 | 302
      protocol: string
      host: string
      port: string
      path: string
      query: string
    }
  | { type: 'fixed-response'; statusCode: number; contentType: string; body: string }

/**
 * Holds when one of its values does. Patterns: `*` is any text, `?` one character, a backslash takes the next one as it is;
 * cases are the same but in paths.
 */
export type Condition =
  | { field: 'host-header' | 'path-pattern'; patterns: string[] }
  /** In full: GET. */
  | { field: 'http-request-method'; methods: string[] }
  | { field: 'http-header'; name: string; patterns: string[] }
  /** Pairs of the query as they are sent; without a key: of any parameter. */
  | { field: 'query-string'; pairs: { key: string | null; value: string }[] }
  /** Ranges (IPv4, IPv6) of the connection's own address. */
  | { field: 'source-ip'; ranges: string[] }

/** `priority` is told in entries of requests; it orders nothing. */
export type Rule = { conditions: Condition[]; action: Action; priority?: number }

export type ListenerTls = {
  /** Of the model's. The first is shown to a client that asks for a name which none of them is for. */
  certificateIds: string[]
  minVersion: '1.2' | '1.3'
  maxVersion: '1.2' | '1.3'
  http2: boolean
}

export type Listener = {
  port: number
  /** In the order of their priority. */
  rules: Rule[]
  /** When no rule applies. */
  action: Action
  /** Absent = plain HTTP. */
  tls?: ListenerTls
  /** Ranges (IPv4, IPv6) from which clients may come at its public sockets and its loopback port. */
  clients: string[]
}

export type LoadBalancer = {
  id: string
  /** It passes connections on, of whatever they are: its listeners have no rules, no TLS, and forward to one target group of TCP at most. */
  isNetwork?: boolean
  /** Its address in the VPC: where instances reach it, and where it dials from. */
  address: string
  /**
   * Not null = this is no load balancer but what stands between a public address and its instance: `elasticAddress` is one
   * of this machine's loopback that serves its listeners for any Host. Instances do not reach it at `address`, which others
   * may share.
   */
  elasticAddress: string | null
  internetFacing: boolean
  /** Names by which the public listeners know it (lower case, without port); `*.example.com` is whatever is below and no other's. */
  hosts: string[]
  /** A loopback port of its own that answers for any Host; null for none. */
  loopbackPort: number | null
  /** Of several who share it, each has a loopback port: requests there are routed as if they had asked for the name. */
  namedPorts?: NamedPort[]
  idleTimeoutSeconds: number
  /** For so long a request waits for a target that may have it before it is answered 503; absent or 0 = not at all. */
  queueSeconds?: number
  /** Every request has an entry, with all that there is to say of it; absent = some have. */
  logsRequests?: boolean
  /** What is answered for want of a target's answer (502, 503, 504); null or absent = AWS's page, which says nothing more. */
  page?: ErrorPage | null
  /** Absent = X-Forwarded-For gets the client's address at its end, and every header is passed on. */
  headers?: HeaderTreatment
  listeners: Listener[]
  /** A connection ends at its next request when its client is not let in any more. */
  cutsOnRevoke: boolean
}

/**
 * `reason`: a sentence that clients on this machine read; '' = none. `html`: in place of AWS's page (`isPage`); the sentence stands
 * where it has `#{reason}`. Null = AWS's.
 */
export type ErrorPage = { reason: string; html: string | null }

export type HeaderTreatment = {
  forwardedFor: 'append' | 'preserve' | 'remove'
  /** What is appended has the client's port. */
  withClientPort: boolean
  /** Headers whose names are not letters, digits and hyphens alone are left out. */
  dropsInvalid: boolean
}

/** `host`: one of the load balancer's names. */
export type NamedPort = { port: number; host: string }

/** What shows an authority of certificates that a name is ours (RFC 8555 §8.3). */
export type Challenge = { path: string; body: string }

export const isChallenge = ({ path, body }: Challenge): boolean =>
  /^\/\.well-known\/acme-challenge\/[A-Za-z0-9_-]{1,200}$/.test(path) && /^[A-Za-z0-9._-]{1,400}$/.test(body)

/** Private key, certificate and chain, in PEM. */
export type Certificate = { id: string; pem: string }

export type BalancerModel = {
  loadBalancers: LoadBalancer[]
  targetGroups: TargetGroup[]
  certificates?: Certificate[]
  /** A sentence for clients on this machine who ask for a name that nobody has. */
  unknownHost?: string
  /** Who asks for one of these paths at a public socket of port 80 that speaks HTTP, by whatever name, gets the body: see `isChallenge`. */
  challenges?: Challenge[]
}

export type TargetHealth = 'initial' | 'healthy' | 'unhealthy' | 'draining'

export type TargetObservation = {
  targetGroupId: string
  targetId: string
  port: number
  health: TargetHealth
  /** ELBv2's reason code, '' when healthy: Target.Timeout, Target.ResponseCodeMismatch, Target.FailedHealthChecks,
   *  Elb.RegistrationInProgress, Elb.InitialHealthChecking, Target.DeregistrationInProgress. */
  reason: string
  description: string
  /** Requests in flight. */
  current: number
}

/** Counters since the engine's process started (`boot` names it); for rates take differences within one boot. */
export type BalancerCounters = {
  id: string
  boot: string
  at: number
  /** For which a target group was chosen, as AWS counts; of a network load balancer its connections. */
  requests: number
  target2xx: number
  target3xx: number
  target4xx: number
  target5xx: number
  balancer4xx: number
  balancer5xx: number
  /** Answered by the balancer itself, as a listener or rule says. */
  redirects: number
  fixedResponses: number
  bytesIn: number
  bytesOut: number
  /** To targets, opened since then, and requests in flight on them now. */
  connections: number
  current: number
  /** Milliseconds over the last 1,024 requests. */
  responseTimeAverageMs: number
}

export const TRAFFIC_COUNTS = [
  ...(['requests', 'target2xx', 'target3xx', 'target4xx', 'target5xx'] as const),
  ...(['balancer3xx', 'balancer4xx', 'balancer5xx', 'redirects', 'fixedResponses'] as const),
  ...(['bytes', 'connections', 'current'] as const),
] as const

/**
 * Of a target group behind one load balancer; of none: what the load balancer answered by itself. Counters since the engine's process
 * started, but `current`: requests in flight now, of a network load balancer connections. `connections` were opened to targets; `bytes`
 * are of both directions.
 */
export type TrafficCounters = Record<(typeof TRAFFIC_COUNTS)[number], number> & {
  /** Of the load balancer or elastic address. */
  id: string
  targetGroupId: string | null
}

/** `boot` names the process that counted. What is carried and not in it was not asked for yet. */
export type Traffic = { boot: string; at: number; counters: TrafficCounters[] }

/** A port of this machine at which a load balancer should be reached and is not, or on one loopback address only. */
export type TakenPort = {
  /** Of the load balancer or elastic address. */
  id: string
  /** null = the load balancer's own loopback port. */
  listenerPort: number | null
  /** On this machine. */
  port: number
  /** `port 18003 is taken by node (pid 12)` */
  reason: string
}

export type BalancerObservation = {
  targets: TargetObservation[]
  /** One entry a load balancer. */
  counters: BalancerCounters[]
  /** One entry a target: requests and codes, same boot. */
  targetCounters: (Omit<
    BalancerCounters,
    'id' | 'balancer4xx' | 'balancer5xx' | 'redirects' | 'fixedResponses' | 'current'
  > & {
    targetGroupId: string
    targetId: string
    port: number
  })[]
  taken: TakenPort[]
}

/**
 * A request that has ended. Times in milliseconds, -1 = it did not come to that. Texts are as the client sent them, with
 * `#` and two hexadecimal digits for what is not plain in `request`; those after it are '' unless it `isLogged`.
 */
export type RequestEntry = {
  /** Of the load balancer or elastic address. */
  id: string
  /** When it ended, in milliseconds since 1970. */
  at: number
  client: string
  clientPort: number
  listenerPort: number
  /** Null = none was chosen. */
  targetGroupId: string | null
  /** `id`: null when it is not one of the target group any more. */
  target: { id: string | null; address: string; port: number } | null
  /** Null = it did not come to one. */
  action: Action['type'] | null
  /** From its arrival until it was sent to the target. */
  requestMs: number
  /** From then to the first byte of the answer. */
  targetMs: number
  /** From its first byte to the end of the answer. */
  totalMs: number
  /** 0 = the client was not told any. */
  status: number
  /** Whether the target has answered, and `status` is its word. */
  isOfTarget: boolean
  /** How it ended in HAProxy's letters (configuration.txt §8.5): `--` = well. */
  ended: string
  bytesIn: number
  bytesOut: number
  /** For so many requests it stands, itself included. */
  weight: number
  /** Whether its load balancer logged requests when it came. */
  isLogged: boolean
  /** Priority of the rule that applied; 0 = the listener's own action. */
  rule: number
  tls: { protocol: string; cipher: string; serverName: string } | null
  /** `GET /shop?page=2 HTTP/1.1` */
  request: string
  host: string
  userAgent: string
  traceId: string
  /** Where a redirect led to. */
  location: string
}

export type RequestEntries = {
  entries: RequestEntry[]
  /** Where to go on; it outlives the engine and the machine's restart. */
  position: string
  /** There was more than what one call answers. */
  more: boolean
  /** Some that came after the position given are gone unread. */
  lost: boolean
}

export type ListenerClients = {
  /** Of the load balancer or elastic address. */
  id: string
  listenerPort: number
  /** Ranges, sorted; with 127.0.0.1 also ::1 (`clientRanges`). */
  clients: string[]
}

export type BalancerEngine = {
  apply(model: BalancerModel): Promise<void>
  /** What is carried now; rejects when the engine cannot be seen. */
  observe(): Promise<BalancerObservation>
  /** Cheap: asked every second. Null = nothing is carried yet. Rejects when the engine cannot be seen. */
  traffic(): Promise<Traffic | null>
  /** Of every listener that is carried; changes nothing. Rejects when the engine cannot be seen. */
  clients(): Promise<ListenerClients[]>
  /** Requests that ended after a position that it answered before (null = all that are kept), in about the order of their ends. */
  requests(after: string | null): Promise<RequestEntries>
  /** Where clients reach a listener port from this machine: e.g. port 80 may be served on 8080. */
  publicPort(listenerPort: number): number
}
