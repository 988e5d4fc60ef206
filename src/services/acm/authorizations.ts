// Which authorities may issue for a name: its CAA records (RFC 8659).
import type { AcmDeps } from './deps.ts'
import { withoutWildcard } from './names.ts'

export function makeAuthorizations({ acme, acmeSettings }: Pick<AcmDeps, 'acme' | 'acmeSettings'>) {
  return {
    /** Why the authority that is set may not; '' = it may, or who it is cannot be told. Rejects when nobody can be asked. */
    async problem(name: string): Promise<string> {
      const { directory, trust } = acmeSettings()
      if (directory === null) return ''
      const allowed = allowedIn(await recordsOf(withoutWildcard(name)), name.startsWith('*.'))
      if (allowed === undefined) return ''
      const identities = await acme.identities(directory, trust)
      return identities.length === 0 || identities.some((one) => allowed.includes(one))
        ? ''
        : `CAA records of ${name} let ${allowed.join(', ') || 'nobody'} issue, not ${identities.join(', ')}`
    },
  }

  /** Those of the closest name that has some (§3). */
  async function recordsOf(at: string): Promise<string[]> {
    const own = await acme.resolve(at, 'CAA')
    const above = at.slice(at.indexOf('.') + 1)
    return own.length > 0 || !above.includes('.') ? own : recordsOf(above)
  }
}

/** Domains of authorities; undefined = every one. Of a wildcard `issuewild` counts where there is some (§4.3). */
function allowedIn(records: string[], isWildcard: boolean): string[] | undefined {
  const of = (tag: string) =>
    records.flatMap((one) => {
      const [found, value = ''] = one.split(' ')
      return found === tag ? [value.split(';')[0]!] : []
    })
  const wild = of('issuewild')
  const counted = isWildcard && wild.length > 0 ? wild : of('issue')
  return counted.length === 0 ? undefined : counted.filter((one) => one !== '')
}
