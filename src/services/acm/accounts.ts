// Accounts at authorities: a key for each directory, made with the first order there.
import type { Account } from '../../engines/acme/engine.ts'
import type { AcmDeps } from './deps.ts'
import type { OrderRow } from './store.ts'

export type AccountOf = Omit<Account, 'key'>

export function makeAccounts({ store, authority, acmeSettings }: AcmDeps) {
  const keyAt = (directory: string) =>
    store.get<{ key: string }>('select key from acm_account where directory = :directory', { directory })?.key
  return {
    /** At the directory whose turn it is; an order stays at its own. Undefined = none is set. */
    wanted({ stage, url, directory: own }: OrderRow): AccountOf | undefined {
      const { directory: production, staging, email, trust } = acmeSettings()
      const directory = url !== null ? own : stage === 'rehearsal' ? staging : production
      return directory === null ? undefined : { directory, trust, email }
    },
    async require(of: AccountOf): Promise<Account> {
      const known = keyAt(of.directory)
      if (known !== undefined) return { ...of, key: known }
      const made = await authority.makeKey('EC_prime256v1')
      return store.transaction(() => {
        const meanwhile = keyAt(of.directory)
        if (meanwhile === undefined) store.insert('acm_account', { directory: of.directory, key: made })
        return { ...of, key: meanwhile ?? made }
      })
    },
  }
}
