// The database of a home, and what of it is in use.
import { chmodSync, closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { migrations } from './control-plane.ts'
import type { InUse } from './home-config.ts'
import type { HomeSettings } from './home.ts'
import { EngineError } from './kernel/errors.ts'
import { logEventsMigrations } from './services/logs/events/file.ts'
import { openOrRenew } from './store/renew.ts'
import { openStore, type Migration, type Store, type StoreOptions } from './store/store.ts'

export const openHomeStore = (home: HomeSettings): Store => open(home, 'polebean.db', migrations)

/** Streams and events of CloudWatch Logs, which are in no backup (decision 028). `broken`: where a damaged file was put. */
export function openLogEvents(home: HomeSettings): { logEvents: Store; broken: string | null } {
  const { opened: logEvents, broken } = openOrRenew(join(home.dir, LOG_EVENTS), () =>
    open(home, LOG_EVENTS, logEventsMigrations, { shrinks: true }),
  )
  return { logEvents, broken }
}
const LOG_EVENTS = 'logs.db'

function open(home: HomeSettings, name: string, all: Migration[], options: StoreOptions = {}): Store {
  const path = join(home.dir, name)
  // They hold environment properties, package index credentials and logs; SQLite gives its other files the same mode.
  closeSync(openSync(path, 'a', 0o600))
  chmodSync(path, 0o600)
  try {
    return openStore(path, all, options)
  } catch (error) {
    if (error instanceof Error && /database is locked/.test(error.message))
      throw new EngineError(`another Polebean server holds ${home.dir}`, { cause: error })
    throw error
  }
}

/** Throws a sentence when the home's database is of a newer version, or another server holds it. */
export const checkDatabase = (home: HomeSettings): void => openHomeStore(home).close()

/** What was handed out in a home whose server does not run. */
export const readInUse = (home: HomeSettings): InUse => {
  const store = openHomeStore(home)
  try {
    return inUseOf(store)
  } finally {
    store.close()
  }
}

export function inUseOf(store: Store): InUse {
  const names = (sql: string) => store.all<{ name: string }>(sql).map(({ name }) => name)
  return {
    environments: names('select name from environment where terminated_at is null order by name'),
    network: [
      ...names("select id as name from ec2_instance where state <> 'terminated' order by id"),
      ...names('select name from elbv2_load_balancer order by name'),
      ...names('select name from elbv2_target_group order by name'),
      ...names("select id as name from ec2_security_group where name <> 'default' order by id"),
    ],
  }
}
