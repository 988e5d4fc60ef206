// The commands, their arguments and options. What a command does is loaded only when it is used, so that each starts
// fast.
import { readFileSync } from 'node:fs'
import { Command, Option } from 'commander'
import { homeDir, readHome } from '../home.ts'
import { printJson } from './output.ts'

const HOME = ['--home <dir>', 'which home (also POLEBEAN_HOME)'] as const
const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string
}

export function makeProgram(): Command {
  const program = new Command('polebean')
    .description('Elastic Beanstalk on your own machines')
    .option(...HOME)
    .version(version)
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
  defineClients(define, withJson)
  defineMachine(define, withJson)
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

const show = () => import('./commands/show.ts')
const change = () => import('./commands/change.ts')

function defineReading(withJson: Define): void {
  withJson('list', 'environments of this home', async function (options: Json) {
    await (await show()).list(home(this), options)
  })
  withJson(
    'status [env]',
    'an environment, its health and its instances',
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
    async function (env: Env, options: Json & { follow?: boolean }) {
      await (await import('./commands/logs.ts')).logs(home(this), env, options)
    },
  ).option('-f, --follow', 'go on as they grow')
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

const collect = (value: string, before: string[] | undefined) => [...(before ?? []), value]

function defineClients(define: Define, withJson: Define): void {
  define(
    'exec <command...>',
    'run a command with the endpoint, keys and region set: exec -- aws …',
    async function (argv: string[]) {
      process.exitCode = await (await import('./commands/env.ts')).exec(home(this), argv)
    },
  ).passThroughOptions()
  withJson('env', 'print the same for a shell: eval "$(polebean env)"', async function (options: Json) {
    ;(await import('./commands/env.ts')).env(home(this), options)
  })
    .option('--unset', 'print what undoes it')
    .option('--profile', 'write the AWS profile polebean instead (with --unset: remove it)')
}

function defineMachine(define: Define, withJson: Define): void {
  withJson('doctor', 'each engine: found, version, works or why not', async function (options: Json) {
    process.exitCode = await (await import('./commands/doctor.ts')).doctor(home(this), options)
  })
  define('server', 'run the server here, in the foreground (root)', async function (options) {
    await (await import('./commands/server.ts')).server(home(this), options)
  }).option('--domain <domain>', 'domain of environments, kept at first start')
  withJson(
    'start',
    'run the server under its supervisor (root)',
    async function (options: Json & { domain?: string; caller?: boolean }) {
      await (await import('./commands/server.ts')).start(home(this), options)
      if (!options.json) return
      const { dir, id, ports } = readHome(home(this))!
      printJson({ home: dir, id, endpoint: `http://127.0.0.1:${ports.api}` })
    },
  )
    .option('--domain <domain>', 'domain of environments, kept at first start')
    .addOption(new Option('--caller', "the caller's environment is on standard input").hideHelp())
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
