// Names of certificates, and where they are shown to be ours. Pure.
import { hash } from 'node:crypto'
import { challengeName } from '../../engines/acme/engine.ts'

/** Of hosts (RFC 1123 §2.1): authorities issue for no others. */
const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/

/** In lower case, `*.` at the beginning allowed; undefined for what is no name of a certificate. */
export function readCertificateName(text: string): string | undefined {
  const name = text.toLowerCase().replace(/\.$/, '')
  const labels = name.replace(/^\*\./, '').split('.')
  // The last is never a number: that would be an address.
  if (/^\d+$/.test(labels.at(-1) ?? '')) return undefined
  return name.length <= 253 && labels.length >= 2 && labels.every((label) => LABEL.test(label))
    ? name
    : undefined
}

/** Of the home's own authority: nobody else issues for these (RFC 6761 §6.3). */
export const isLocal = (name: string): boolean => name.endsWith('.localhost')

export const withoutWildcard = (name: string): string => name.replace(/^\*\./, '')

/** Those that an order names: what a wildcard of it covers is left out, which authorities refuse beside it. */
export const orderedNames = (names: string[]): string[] =>
  names.filter((name) => name.startsWith('*.') || !names.includes(`*.${name.slice(name.indexOf('.') + 1)}`))

/** The CNAME by which a zone that is elsewhere leaves it to us to show that the name is its owner's. */
export const validationRecord = (account: string, domain: string, name: string) => ({
  name: challengeName(withoutWildcard(name)),
  target: validationName(account, domain, name),
})

export const validationName = (account: string, domain: string, name: string): string =>
  `_${hash('sha256', `${account} ${withoutWildcard(name)}`).slice(0, 32)}.${validationDomain(domain)}`

export const validationDomain = (domain: string): string => `acm-validations.${domain}`
