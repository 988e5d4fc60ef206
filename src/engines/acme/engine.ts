// Who issues certificates to those who show that a name is theirs (RFC 8555, "ACME"): Let's Encrypt, or another of its kind.
//
// Contract, checked by conformance.ts:
// - Calls are small and may be made again: who died after one goes on with what is written down of it. `order` alone makes something
//   new each time; an order that nobody goes on with is forgotten by the authority.
// - A challenge is answered only when it is to be asked for: the authority asks at once, and a wrong answer ends the order.
// - `finalize` is taken when all names are shown to be ours, `certificate` once the order is valid.
// - What the authority refuses is a Refusal with its own words; that it cannot be asked is another EngineError.

import { EngineError } from '../../kernel/errors.ts'

export class Refusal extends EngineError {
  override name = 'Refusal'
}

export type Account = {
  /** URL of the authority's directory. */
  directory: string
  /** Authorities of certificates, in PEM, by which its HTTPS is trusted; null = those that everybody trusts. */
  trust: string | null
  /** In PEM. It is the account. */
  key: string
  /** To whom the authority writes; null = to nobody. */
  email: string | null
}

export type ChallengeType = 'http-01' | 'dns-01'

export type Challenge = {
  /** What it shows: without `*.`. */
  name: string
  isWildcard: boolean
  type: ChallengeType
  url: string
  token: string
  /** http-01: the body at `/.well-known/acme-challenge/TOKEN` (RFC 8555 §8.3); dns-01: the text at `_acme-challenge.NAME` (§8.4). */
  content: string
}

export type Order = {
  url: string
  /** Of names that are not known to be ours yet. */
  challenges: Challenge[]
}

export type OrderState = {
  status: 'pending' | 'ready' | 'processing' | 'valid' | 'invalid'
  /** Why it is invalid, in the authority's words; '' otherwise. */
  problem: string
}

export type AcmeEngine = {
  order(account: Account, names: string[]): Promise<Order>
  answer(account: Account, challenge: Challenge): Promise<void>
  look(account: Account, url: string): Promise<OrderState>
  /** `key`: of the certificate, in PEM. */
  finalize(account: Account, url: string, names: string[], key: string): Promise<void>
  /** The certificate and those between it and the authority's, in PEM. */
  certificate(account: Account, url: string): Promise<string>
  /** By which names an authority is known in CAA records (RFC 8555 §9.7.6); none = it does not say. */
  identities(directory: string, trust: string | null): Promise<string[]>
  /** What others are told of a name; none = nothing. CAA: `issue letsencrypt.org`. */
  resolve(name: string, type: 'A' | 'AAAA' | 'CNAME' | 'CAA'): Promise<string[]>
}

/** Where http-01 is asked. */
export const challengePath = ({ token }: Pick<Challenge, 'token'>): string =>
  `/.well-known/acme-challenge/${token}`

/** Where dns-01 is asked. */
export const challengeName = (name: string): string => `_acme-challenge.${name}`
