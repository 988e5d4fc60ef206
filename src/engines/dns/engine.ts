// What answers for the zones of a home (design §10): an authoritative name server, which goes on while the control plane is dead.
//
// Contract, checked by conformance.ts:
// - `put(zone)` makes the server answer exactly this zone, all of it at once or, when it is refused, as before. It resolves when
//   answers follow. The same again changes nothing, and its serial stays.
// - Names are asked without regard to case. A name that is there without the type is answered without records, one that is not
//   with NXDOMAIN, both with the zone's SOA; for zones that are not there the server says REFUSED.
// - Of a weighted set each value is answered as often as its share of all weights says; one of weight 0 only when all have it. Of a multivalue set up to
//   eight are answered, in random order. Who is unhealthy is not in the set: that is the control plane's to say.
// - What was put is there after the server was killed, and comes back by itself.
// - Texts of callers never become code or configuration: what cannot be said in a record is refused before anything is changed.

export const RECORD_TYPES = ['A', 'AAAA', 'CAA', 'CNAME', 'MX', 'NS', 'PTR', 'SOA', 'SRV', 'TXT'] as const
export type RecordType = (typeof RECORD_TYPES)[number]

/** Lower case, without the point at the end: `www.example.com`, `*.example.com`, `_sip._tcp.example.com`. */
export type Name = string

export type RecordSet = {
  name: Name
  type: RecordType
  /** Seconds. */
  ttl: number
} & (
  | {
      /** In the form of zone files (RFC 1035 §5): names with the point at the end, texts in quotes. */
      values: string[]
    }
  /** Addresses alone: one is chosen for each answer. */
  | { weighted: { value: string; weight: number }[] }
  /** Addresses alone: up to eight. */
  | { anyOf: string[] }
)

/** It has a SOA and NS of its own name. */
export type Zone = { name: Name; recordSets: RecordSet[] }

export type DnsEngine = {
  put(zone: Zone): Promise<void>
  /** One that is not there is removed already. */
  remove(name: Name): Promise<void>
  /** Names of the zones that there are; rejects when the server cannot be seen. */
  zones(): Promise<Name[]>
  /** As it is answered; undefined = there is none. */
  zone(name: Name): Promise<Zone | undefined>
}
