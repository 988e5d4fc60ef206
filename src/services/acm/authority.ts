// The home's own authority, which vouches for names below .localhost. It is made when it is first needed, and kept with the rows.
import type { Authority } from '../../engines/authority/engine.ts'
import type { AcmDeps } from './deps.ts'

const PERMITTED = ['localhost']

export async function requireAuthority({
  store,
  authority,
  ids,
}: Pick<AcmDeps, 'store' | 'authority' | 'ids'>): Promise<Authority> {
  const read = () => store.get<Authority>('select certificate, key from acm_authority')
  const there = read()
  if (there) return there
  const made = await authority.makeAuthority(`Polebean ${ids.lower('', 8)}`, PERMITTED)
  return store.transaction(() => {
    const meanwhile = read()
    if (meanwhile) return meanwhile
    store.insert('acm_authority', { id: 1, ...made })
    return made
  })
}
