// Keys, and an authority of certificates of the home's own for names that no public one issues for.
//
// Contract, checked by local.test.ts (what the fake issues is trusted by nobody): what `issue` answers is good for its names and its days, vouched for by the authority and by
// nobody else; an authority vouches for names below `permitted` alone, whoever has its key (RFC 5280 §4.2.1.10).

export type KeyAlgorithm = 'RSA_2048' | 'RSA_3072' | 'RSA_4096' | 'EC_prime256v1' | 'EC_secp384r1'

/** In PEM each. */
export type Authority = { certificate: string; key: string }

export type AuthorityEngine = {
  /** A private key, in PEM (PKCS #8). */
  makeKey(algorithm: KeyAlgorithm): Promise<string>
  makeAuthority(called: string, permitted: string[]): Promise<Authority>
  /** The certificate for `key` (in PEM), in PEM. */
  issue(authority: Authority, names: string[], key: string, days: number): Promise<string>
}
