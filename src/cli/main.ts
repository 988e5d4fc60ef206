// The command line: a thin client of the API, plus the commands that only root on this machine can do.
import { Command, CommanderError } from 'commander'
import { homeDir } from '../home.ts'
import { EngineError } from '../kernel/errors.ts'
import { EXIT, Failure } from './failure.ts'
import { note } from './output.ts'

const program = new Command('polebean')
  .description('Elastic Beanstalk on your own machines')
  .option('--home <dir>', 'which home (also POLEBEAN_HOME)', undefined)
  .exitOverride()
  .showHelpAfterError()
  .enablePositionalOptions()

const home = (command: Command) => homeDir((command.optsWithGlobals() as { home?: string }).home)

/** A command whose module is loaded only when it is used, so that each one starts fast. */
function define(
  usage: string,
  description: string,
  action: (this: Command, ...args: never[]) => unknown,
): Command {
  return program
    .command(usage)
    .description(description)
    .option('--home <dir>', 'which home (also POLEBEAN_HOME)')
    .action(action as never)
}
const json = (command: Command) => command.option('--json', 'print JSON')

json(
  define(
    'up [dir]',
    'start Polebean if need be, deploy a folder, print its URL',
    async function (dir: string | undefined, options) {
      const { up } = await import('./commands/up.ts')
      await up(home(this), dir, options)
    },
  )
    .option('-n, --name <environment>', 'name of the environment (default: the folder)')
    .option('-e, --env <NAME=VALUE...>', 'environment properties'),
)
json(
  define('list', 'environments of this home', async function (options) {
    await (await import('./commands/show.ts')).list(home(this), options)
  }),
)
json(
  define(
    'status [env]',
    'an environment, its health and its instances',
    async function (env: string | undefined, options) {
      await (await import('./commands/show.ts')).status(home(this), env, options)
    },
  ),
)
json(
  define('events [env]', 'what happened', async function (env: string | undefined, options) {
    await (await import('./commands/show.ts')).events(home(this), env, options)
  }).option('-f, --follow', 'go on as they happen'),
)
json(
  define('logs [env]', 'the last lines of every instance', async function (env: string | undefined, options) {
    await (await import('./commands/show.ts')).logs(home(this), env, options)
  }).option('-f, --follow', 'go on as they grow'),
)
json(
  define('open [env]', 'open the URL in a browser', async function (env: string | undefined) {
    await (await import('./commands/show.ts')).open(home(this), env)
  }),
)
json(
  define('printenv [env]', 'environment properties', async function (env: string | undefined, options) {
    await (await import('./commands/show.ts')).printenv(home(this), env, options)
  }),
)
json(
  define('setenv <pairs...>', 'set NAME=VALUE, remove NAME=', async function (pairs: string[], options) {
    await (
      await import('./commands/change.ts')
    ).setenv(home(this), (options as { environment?: string }).environment, pairs, options)
  }).option('-E, --environment <env>', 'which environment'),
)
json(
  define(
    'scale <count> [env]',
    'run that many instances',
    async function (count: string, env: string | undefined, options) {
      await (await import('./commands/change.ts')).scale(home(this), env, count, options)
    },
  ),
)
json(
  define(
    'terminate [env]',
    'end an environment and everything it has',
    async function (env: string | undefined, options) {
      await (await import('./commands/change.ts')).terminate(home(this), env, options)
    },
  ).option('--force', 'do not ask'),
)
define(
  'exec <command...>',
  'run a command with the endpoint, keys and region set: exec -- aws …',
  async function (argv: string[]) {
    process.exitCode = await (await import('./commands/env.ts')).exec(home(this), argv)
  },
).passThroughOptions()
define('env', 'print the same for a shell: eval "$(polebean env)"', async function (options) {
  ;(await import('./commands/env.ts')).env(home(this), options)
})
  .option('--unset', 'print what undoes it')
  .option('--profile', 'write the AWS profile polebean instead')
json(
  define(
    'why <target>',
    'walk a URL or environment from its name to its process, and say what is wrong',
    async function (target: string, options) {
      process.exitCode = await (await import('./commands/why.ts')).why(home(this), target, options)
    },
  ),
)
json(
  define('doctor', 'each engine: found, version, works or why not', async function (options) {
    process.exitCode = await (await import('./commands/doctor.ts')).doctor(home(this), options)
  }),
)
define('server', 'run the server here, in the foreground (root)', async function (options) {
  await (await import('./commands/server.ts')).server(home(this), options)
}).option('--domain <domain>', 'domain of environments, kept at first start')
define('start', 'run the server under its supervisor (root)', async function (options) {
  await (await import('./commands/server.ts')).start(home(this), options)
}).option('--domain <domain>', 'domain of environments, kept at first start')
define('down', 'stop everything of this home and keep its state', async function (options) {
  await (await import('./commands/down.ts')).down(home(this), options)
})
  .option('--purge', 'delete the home, too')
  .option('--force', 'do not ask')
define('completion <shell>', 'print completion for bash, zsh or fish', async function (shell: string) {
  ;(await import('./commands/completion.ts')).completion(program, shell)
})

try {
  await program.parseAsync()
} catch (error) {
  process.exit(statusOf(error))
}

/** Says what went wrong: a sentence when it was to be expected, everything there is when it is a bug. */
function statusOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
  const expected =
    error instanceof Failure ||
    error instanceof EngineError ||
    (error instanceof Error && error.name === 'NewerHomeError')
  if (expected) note(`polebean: ${error.message}`)
  else note(`polebean: this is a bug in Polebean: ${error instanceof Error ? error.stack : String(error)}`)
  return error instanceof Failure ? error.status : EXIT.failed
}
