import type { Store } from '../../store/store.ts'
import type { ServiceDeps } from '../service.ts'

export type LogsDeps = ServiceDeps & {
  /** The file of streams and events (events/file.ts), apart from the main database. */
  logEvents: Store
}
