// Whether something answers over the network, asked from this machine: health checks of names.
//
// Contract: a probe ends within its time, whatever the other side does, and never rejects: what goes wrong is its answer. Redirects are
// not followed; certificates are not verified (AWS: "health checks don't validate the certificate").

export type Probe = {
  protocol: 'TCP' | 'HTTP' | 'HTTPS'
  /** An address, or a name that this machine resolves. */
  host: string
  port: number
  /** Of HTTP: the path with its query, and what stands in Host; with `sni`, in the TLS greeting too. */
  path: string
  hostHeader: string | null
  sni: boolean
  /** Must be in the first 5,120 bytes of the body; null = nothing must. */
  searchFor: string | null
  /** It is the home itself that is asked: else no address of the machine's own is dialled, whatever a name resolves to. */
  isOwn: boolean
}

export type ProbeResult = {
  ok: boolean
  /** In AWS's words: `Success: HTTP Status Code 200, OK`, `Failure: …`. */
  told: string
}

export type ProbeEngine = { probe(probe: Probe): Promise<ProbeResult> }
