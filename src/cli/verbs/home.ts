// Commands about a home as a whole: its backups and its settings.
import type { Command } from 'commander'
import { definer, home, HOME, withJson, type Env, type Json } from './define.ts'

type BackupOptions = Parameters<typeof import('../commands/backup.ts').backup>[2]
type RestoreOptions = Parameters<typeof import('../commands/restore.ts').restore>[2]

export function defineBackup(program: Command): void {
  const define = withJson(definer(program))
  define(
    'backup [file]',
    'write the whole home into one file (- is standard output); with --every: have the server do it',
    async function (file: string | undefined, options: BackupOptions) {
      await (await import('../commands/backup.ts')).backup(home(this), file, options)
    },
  )
    .option('--force', 'overwrite the file')
    .option('--encrypt', 'seal it with a passphrase that is asked for')
    .option('--passphrase-file <file>', 'seal it with the first line of that file')
    .option('--every <time>', 'have the server write one into the folder FILE: 24h, 7d; off ends it')
    .option('--keep <count>', 'how many of those stay (7)')
    .option('--list', 'what --every has written, and how the last one went')
  define(
    'restore <file>',
    'make a home out of a backup (- is standard input) where there is none (root)',
    async function (file: string, options: RestoreOptions) {
      await (await import('../commands/restore.ts')).restore(home(this), file, options)
    },
  )
    .option('--passphrase-file <file>', 'its passphrase is the first line of that file')
    .option('--api-port <port>', 'give it another API port')
    .option('--http-port <port>', 'give it another HTTP port')
}

export function defineConfig(program: Command): void {
  const load = () => import('../commands/config.ts')
  const config = program.command('config').description("show and change the home's settings (config.yaml)")
  const define = withJson(definer(config))
  define('get [key]', 'what is in force, and where it comes from', async function (key: Env, options: Json) {
    await (await load()).get(home(this), key, options)
  })
  define(
    'set <key> <value>',
    'give a setting, and say when it takes effect',
    async function (key: string, value: string, options: Json) {
      await (await load()).set(home(this), key, value, options)
    },
  )
  define(
    'unset <key>',
    'take a setting away: its default holds',
    async function (key: string, options: Json) {
      await (await load()).unset(home(this), key, options)
    },
  )
  define('edit', 'change the file in $VISUAL or $EDITOR', async function (options: Json) {
    await (await load()).edit(home(this), options)
  })
  // What edit has root do with the text on standard input.
  config
    .command('replace <was>', { hidden: true })
    .option(...HOME)
    .action(async function (this: Command, was: string) {
      await (await load()).replaceByInput(home(this), was)
    })
}
