// The commands, their arguments and options. What a command does is loaded only when it is used, so that each starts
// fast.
import { Command, Option } from 'commander'
import { homeDir, readHome } from '../home.ts'
import { EXIT, Failure } from './failure.ts'
import { flagOptions, type FlagOptions } from './flags.ts'
import { printJson } from './output.ts'
import { describeVersion } from './release.ts'

const HOME = ['--home <dir>', 'which home (also POLEBEAN_HOME)'] as const

export function makeProgram(): Command {
  const program = new Command('polebean')
    .description('Elastic Beanstalk on your own machines')
    .option(...HOME)
    .version(describeVersion())
    .exitOverride()
    .showHelpAfterError()
    .enablePositionalOptions()
  const define = (usage: string, description: string, action: (this: Command, ...args: never[]) => unknown) =>
    program
      .command(usage)
      .description(description)
      .option(...HOME)
      .action(action as never)
  const withJson: typeof define = (...args) => define(...args).option('--json', 'print JSON')

  defineReading(withJson)
  defineChanging(withJson)
  definePrune(withJson)
  defineClients(define, withJson)
  defineMachine(define, withJson)
  defineKeys(program)
  defineBackup(withJson)
  defineConfig(program)
  defineService(program)
  withJson('completion <shell>', 'print completion for bash, zsh or fish', async (shell: string, options) => {
    ;(await import('./commands/completion.ts')).completion(shell, options)
  })
  // What those scripts ask for each word. Hidden: nobody types it.
  program
    .command('complete [words...]', { hidden: true })
    .passThroughOptions()
    .action(async function (this: Command, words: string[]) {
      await (await import('./commands/completion.ts')).complete(program, home(this), words)
    })
  return program
}

/** The command that the words name, past the options of the program itself. */
export function verbOf(words: string[]): { verb: string | undefined; rest: string[] } {
  const at = words.findIndex((word, index) => !word.startsWith('-') && words[index - 1] !== '--home')
  return at === -1 ? { verb: undefined, rest: [] } : { verb: words[at], rest: words.slice(at + 1) }
}

const home = (command: Command) => homeDir((command.optsWithGlobals() as { home?: string }).home)

type Define = (
  usage: string,
  description: string,
  action: (this: Command, ...args: never[]) => unknown,
) => Command
type Json = { json?: boolean }
type Env = string | undefined
type BackupOptions = Parameters<typeof import('./commands/backup.ts').backup>[2]
type RestoreOptions = Parameters<typeof import('./commands/restore.ts').restore>[2]

const show = () => import('./commands/show.ts')
const change = () => import('./commands/change.ts')

function defineReading(withJson: Define): void {
  withJson('list', 'environments of this home', async function (options: Json) {
    await (await show()).list(home(this), options)
  })
  withJson(
    'status [env]',
    'an environment, its health and its instances; without ENV also what the home takes of its disk',
    async function (env: Env, options: Json) {
      await (await show()).status(home(this), env, options)
    },
  )
  withJson('events [env]', 'what happened', async function (env: Env, options: Json & { follow?: boolean }) {
    await (await show()).events(home(this), env, options)
  }).option('-f, --follow', 'go on as they happen')
  withJson(
    'logs [env]',
    'the last lines of every instance',
    async function (env: Env, options: Json & { follow?: boolean; instance?: string }) {
      await (await import('./commands/logs.ts')).logs(home(this), env, options)
    },
  )
    .option('-f, --follow', 'go on as they grow')
    .option('--instance <id>', 'of one instance, which may have ended within the last week')
  withJson('open [env]', 'open the URL in a browser', async function (env: Env, options: Json) {
    process.exitCode = await (await import('./commands/open.ts')).open(home(this), env, options)
  })
  withJson('printenv [env]', 'environment properties', async function (env: Env, options: Json) {
    await (await show()).printenv(home(this), env, options)
  })
  withJson(
    'why [target]',
    'walk a URL or environment from its name to its process, and say what is wrong',
    async function (target: string | undefined, options: Json) {
      process.exitCode = await (await import('./commands/why.ts')).why(home(this), target, options)
    },
  )
}

function defineChanging(withJson: Define): void {
  withJson(
    'up [dir]',
    'start Polebean if need be, deploy a folder (this one), print its URL',
    async function (dir: string | undefined, options) {
      await (await import('./commands/up.ts')).up(home(this), dir, options)
    },
  )
    .option('-n, --name <environment>', 'name of the environment (default: the folder)')
    .option('--env <NAME=VALUE>', 'an environment property; may be repeated', collect)
  withJson(
    'setenv <pairs...>',
    'set NAME=VALUE, remove NAME=',
    async function (pairs: string[], options: Json & { environment?: string }) {
      await (await change()).setenv(home(this), options.environment, pairs, options)
    },
  ).option('-e, --environment <env>', 'which environment')
  withJson(
    'scale <count> [env]',
    'run that many instances',
    async function (count: string, env: Env, options: Json) {
      await (await change()).scale(home(this), env, count, options)
    },
  )
  withJson(
    'terminate [env]',
    'end an environment and everything it has',
    async function (env: Env, options: Json & { force?: boolean }) {
      await (await change()).terminate(home(this), env, options)
    },
  ).option('--force', 'do not ask')
}

function definePrune(withJson: Define): void {
  withJson(
    'prune',
    'remove what nothing uses: built dependencies, logs of instances that are gone',
    async function (options: Json & { dryRun?: boolean }) {
      await (await import('./commands/room.ts')).prune(home(this), options)
    },
  ).option('--dry-run', 'only say what, and how much')
}

const collect = (value: string, before: string[] | undefined) => [...(before ?? []), value]

type ExecOptions = { ssh?: string; sshOption?: string[]; remotePolebean: string }

async function runExec(command: Command, argv: string[], options: ExecOptions): Promise<number> {
  const { exec, execRemote } = await import('./commands/env.ts')
  const { ssh, sshOption = [], remotePolebean } = options
  if (ssh === undefined) {
    if (sshOption.length > 0 || remotePolebean !== 'polebean')
      throw new Failure('--ssh-option and --remote-polebean go with --ssh', EXIT.usage)
    return exec(home(command), argv)
  }
  // POLEBEAN_HOME is of this machine; what names a home there is --home.
  const { home: named } = command.optsWithGlobals() as { home?: string }
  return execRemote({ destination: ssh, options: sshOption, polebean: remotePolebean, home: named }, argv)
}

function defineClients(define: Define, withJson: Define): void {
  define(
    'exec <command...>',
    'run a command with the endpoint, keys and region set: exec -- aws …',
    async function (argv: string[], options: ExecOptions) {
      process.exitCode = await runExec(this, argv, options)
    },
  )
    .option('--ssh <user@host>', 'with the home of another machine, through ssh')
    .option('--ssh-option <Name=value>', "an option of ssh's -o; may be repeated", collect)
    .option('--remote-polebean <path>', 'the program polebean on that machine', 'polebean')
    .passThroughOptions()
  withJson('env', 'print the same for a shell: eval "$(polebean env)"', async function (options: Json) {
    ;(await import('./commands/env.ts')).env(home(this), options)
  })
    .option('--unset', 'print what undoes it')
    .option('--profile', 'write the AWS profile polebean instead (with --unset: remove it)')
}

const keys = () => import('./commands/keys.ts')

function defineKeys(program: Command): void {
  const group = program
    .command('keys')
    .description('the access keys of this home: list, create, rotate, revoke')
  const define = (usage: string, description: string, action: (this: Command, ...args: never[]) => unknown) =>
    group
      .command(usage)
      .description(description)
      .option(...HOME)
      .option('--json', 'print JSON')
      .action(action as never)
  define('list', 'each key, its status and last use', async function (options: Json) {
    await (await keys()).list(home(this), options)
  })
  define('create', 'make another key; its secret is shown this once', async function (options: Json) {
    await (await keys()).create(home(this), options)
  })
  define(
    'rotate',
    'make a new key for the command line; the old one ends after a grace',
    async function (options: Json & { grace: string }) {
      await (await keys()).rotate(home(this), options)
    },
  ).option('--grace <time>', 'how long the old key still works: 24h, 30m, 0', '24h')
  define('revoke <id>', 'end a key now', async function (id: string, options: Json) {
    await (await keys()).revoke(home(this), id, options)
  })
}

function defineService(program: Command): void {
  const service = program
    .command('service')
    .description('run the server as a service of the system (systemd)')
  const define = (verb: 'install' | 'status' | 'uninstall', description: string) =>
    service
      .command(verb)
      .description(description)
      .option(...HOME)
      .option('--json', 'print JSON')
      .addOption(new Option('--caller', "the caller's environment is on standard input").hideHelp())
      .action(async function (this: Command, options: Json & { caller?: boolean }) {
        const room = await import('./commands/service.ts')
        process.exitCode = (await room[verb](home(this), options)) ?? EXIT.ok
      })
  define('install', 'start it now and after each boot')
  define('status', 'whether it is installed, enabled and answers')
  define('uninstall', 'take the service away; the server runs on until the next boot')
}

function defineMachine(define: Define, withJson: Define): void {
  define('setup', 'bring the engines from the distribution (asks for root)', async function (options) {
    process.exitCode = (await import('./commands/setup.ts')).setup(options)
  }).option('--yes', 'do not ask')
  withJson('doctor', 'each engine: found, version, works or why not', async function (options: Json) {
    process.exitCode = await (await import('./commands/doctor.ts')).doctor(home(this), options)
  })
  const server = define('server', 'run the server here, in the foreground (root)', async function (options) {
    await (await import('./commands/server.ts')).server(home(this), options)
  })
  const start = withJson(
    'start',
    'run the server under its supervisor (root)',
    async function (options: Json & FlagOptions & { caller?: boolean }) {
      await (await import('./commands/server.ts')).start(home(this), options)
      if (!options.json) return
      const { dir, id, ports } = readHome(home(this))!
      printJson({ home: dir, id, endpoint: `http://127.0.0.1:${ports.api}` })
    },
  ).addOption(new Option('--caller', "the caller's environment is on standard input").hideHelp())
  for (const command of [server, start]) for (const option of flagOptions()) command.addOption(option)
  define('restart', 'restart the server alone; requests are carried meanwhile (root)', async function () {
    await (await import('./commands/server.ts')).restart(home(this))
  })
  define(
    'upgrade [release]',
    'go on with a newer release: its version, file or https URL; without RELEASE the newest (root)',
    async function (release: string | undefined, options: { rollback?: boolean; force?: boolean }) {
      await (await import('./commands/upgrade.ts')).upgrade(home(this), release, options)
    },
  )
    .option('--rollback', 'go back to the version before, and to the data of that moment')
    .option('--force', 'do not ask')
  withJson(
    'down',
    'stop everything of this home and keep its state',
    async function (options: Json & { purge?: boolean; orphans?: boolean }) {
      if (options.orphans)
        return (await import('./commands/down-orphans.ts')).downOrphans(home(this), options)
      await (await import('./commands/down.ts')).down(home(this), options)
      if (options.json) printJson({ home: home(this), purged: options.purge === true })
    },
  )
    .option('--purge', 'delete the home, too')
    .addOption(new Option('--orphans', 'remove what homes left whose folder is gone').conflicts('purge'))
    .option('--force', 'do not ask')
  withJson(
    'uninstall',
    'undo what setup did to this machine, and say what stays',
    async function (options: Json & { force?: boolean }) {
      await (await import('./commands/uninstall.ts')).uninstall(home(this), options)
    },
  ).option('--force', 'do not ask')
}

function defineBackup(withJson: Define): void {
  withJson(
    'backup [file]',
    'write the whole home into one file (- is standard output); with --every: have the server do it',
    async function (file: string | undefined, options: BackupOptions) {
      await (await import('./commands/backup.ts')).backup(home(this), file, options)
    },
  )
    .option('--force', 'overwrite the file')
    .option('--encrypt', 'seal it with a passphrase that is asked for')
    .option('--passphrase-file <file>', 'seal it with the first line of that file')
    .option('--every <time>', 'have the server write one into the folder FILE: 24h, 7d; off ends it')
    .option('--keep <count>', 'how many of those stay (7)')
    .option('--list', 'what --every has written, and how the last one went')
  withJson(
    'restore <file>',
    'make a home out of a backup (- is standard input) where there is none (root)',
    async function (file: string, options: RestoreOptions) {
      await (await import('./commands/restore.ts')).restore(home(this), file, options)
    },
  )
    .option('--passphrase-file <file>', 'its passphrase is the first line of that file')
    .option('--api-port <port>', 'give it another API port')
    .option('--http-port <port>', 'give it another HTTP port')
}

function defineConfig(program: Command): void {
  const load = () => import('./commands/config.ts')
  const config = program.command('config').description("show and change the home's settings (config.yaml)")
  const define = (usage: string, description: string, action: (this: Command, ...args: never[]) => unknown) =>
    config
      .command(usage)
      .description(description)
      .option(...HOME)
      .action(action as never)
  const withJson: typeof define = (...args) => define(...args).option('--json', 'print JSON')
  withJson(
    'get [key]',
    'what is in force, and where it comes from',
    async function (key: Env, options: Json) {
      await (await load()).get(home(this), key, options)
    },
  )
  withJson(
    'set <key> <value>',
    'give a setting, and say when it takes effect',
    async function (key: string, value: string, options: Json) {
      await (await load()).set(home(this), key, value, options)
    },
  )
  withJson(
    'unset <key>',
    'take a setting away: its default holds',
    async function (key: string, options: Json) {
      await (await load()).unset(home(this), key, options)
    },
  )
  withJson('edit', 'change the file in $VISUAL or $EDITOR', async function (options: Json) {
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
