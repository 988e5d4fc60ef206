// Takes away access keys whose grace is over. They stopped working at that moment, with or without this.
import type { Reconciler } from '../../control/reconciler.ts'
import type { ServiceDeps } from '../service.ts'
import { accessKeyRows } from './store.ts'

export const makeAccessKeysReconciler = ({ store, clock, log, account }: ServiceDeps): Reconciler => ({
  name: 'iam.accessKeys',
  everyMs: 60_000,
  wakes: [],
  async reconcile() {
    const now = clock.now()
    for (const { id, expiresAt } of accessKeyRows(store, account)) {
      if (expiresAt === null || expiresAt > now) continue
      store.remove('iam_access_key', { account, id })
      log.info('an access key has ended', { accessKeyId: id, at: new Date(expiresAt).toISOString() })
    }
    return {}
  },
})
