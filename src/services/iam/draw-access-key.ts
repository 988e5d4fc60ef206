// Apart from the rest of the service, since the command line makes the first key of a home.
import type { Ids } from '../../kernel/ids.ts'

export type AccessKey = { accessKeyId: string; secretAccessKey: string }

/** An id that is not AKIA…/ASIA…, so that it cannot be taken for one of AWS's own, and its secret of 40 characters. */
export const drawAccessKey = (ids: Ids): AccessKey => ({
  accessKeyId: ids.upper('PBLN', 16),
  secretAccessKey: ids.lower('', 40),
})
