// Commands for AWS clients: their surroundings, and the keys that they sign with.
import type { Command } from 'commander'
import { EXIT, Failure } from '../failure.ts'
import { collect, definer, home, withJson, type Env, type Json } from './define.ts'

type ExecOptions = { ssh?: string; sshOption?: string[]; remotePolebean: string }

async function runExec(command: Command, argv: string[], options: ExecOptions): Promise<number> {
  const { exec, execRemote } = await import('../commands/env.ts')
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

export function defineClients(program: Command): void {
  const define = definer(program)
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
  define(
    'ssh [instance] [command...]',
    'a shell in an instance (its id, or its environment), or a program: ssh INSTANCE -- ls /var/app/current',
    async function (instance: Env, argv: string[], options: { user?: string; instance?: string }) {
      // What stands behind `--` is the command, also where no instance is named before it.
      const given = [...(instance === undefined ? [] : [instance]), ...argv]
      const at = process.argv.indexOf('--')
      const named = at === -1 ? 1 : given.length - (process.argv.length - at - 1)
      const run = (await import('../commands/ssh.ts')).ssh
      process.exitCode = await run(home(this), given.slice(0, named)[0], given.slice(named), options)
    },
  )
    .option('-u, --user <user>', 'root or webapp', 'root')
    .option('-n, --instance <number>', 'which one of an environment that has several')
  withJson(define)(
    'env',
    'print the same for a shell: eval "$(polebean env)"',
    async function (options: Json) {
      ;(await import('../commands/env.ts')).env(home(this), options)
    },
  )
    .option('--unset', 'print what undoes it')
    .option('--profile', 'write the AWS profile polebean instead (with --unset: remove it)')
}

const keys = () => import('../commands/keys.ts')

export function defineKeys(program: Command): void {
  const group = program
    .command('keys')
    .description('the access keys of this home: list, create, rotate, revoke')
  const define = withJson(definer(group))
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
