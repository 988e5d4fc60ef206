// What answers for the zones of a home (design §10): an authoritative name server, which goes on while the control plane is dead.
//
// Contract, checked by conformance.ts:
// - `put(zone)` makes the server answer exactly this zone, all of it at once or, when it is refused, as before. It resolves when
//   answers follow. The serial in its SOA is the caller's: by it the server tells which state of a zone it answers.
// - Names are asked without regard to case. A name that is there without the type is answered without records, one that is not
//   with NXDOMAIN, both with the zone's SOA; for zones that are not there the server says REFUSED.
// - Of a weighted choice each is answered as often as its share of all weights says; one of weight 0 only when all have it. Of `anyOf` up to
//   eight are answered, in random order. Who is unhealthy is not in the set: that is the control plane's to say.
// - Who asks from inside, through the resolver of instances, is told `inside` where there is one.
// - What was put is there after the server was killed, and comes back by itself.
// - A zone with keys is signed by each of them (DNSSEC): all that it answers, and that it has nothing to answer. Without keys it is not.
//   A key is there before one that it takes the place of goes.
// - Texts of callers never become code or configuration: what cannot be said in a record is refused before anything is changed.

import type { ZoneKey } from '../../kernel/zone-key.ts'
import type { RecordType } from './forms.ts'

export { isAnswerable } from './check-zone.ts'
export { isName, isValueOf, RECORD_TYPES, type RecordType } from './forms.ts'

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
  /** Of A, AAAA and CNAME alone. */
  | { chosen: Choice; inside?: Choice }
)

/** Which values an answer has. */
export type Choice =
  /** One of these, with all of its values. */
  | { weighted: { values: string[]; weight: number }[] }
  /** Up to eight. */
  | { anyOf: string[] }

/** It has a SOA and NS of its own name. */
export type Zone = { name: Name; recordSets: RecordSet[]; keys?: ZoneKey[] }

export type DnsEngine = {
  put(zone: Zone): Promise<void>
  /** One that is not there is removed already. */
  remove(name: Name): Promise<void>
  /** The zones that there are, by name, with their serials; rejects when the server cannot be seen. */
  zones(): Promise<{ name: Name; serial: number }[]>
  /** Who resolves names for instances forgets what it was told before: to be called after some were put or removed. */
  settle(): Promise<void>
  /** What it answers who asks from outside. */
  query(name: Name, type: RecordType | 'DNSKEY'): Promise<Answered>
}

export type Answered = {
  rcode: 'NOERROR' | 'NXDOMAIN' | 'REFUSED'
  /** `www.example.com A 192.0.2.1`, in the order of a chain. */
  answers: string[]
  /** Types of the records that say who is responsible. */
  authority: string[]
}
