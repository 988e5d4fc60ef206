// Commands that only root on this machine can do, or that are about the machine.
import { Option, type Command } from 'commander'
import { readHome } from '../../home.ts'
import { EXIT } from '../failure.ts'
import { flagOptions, type FlagOptions } from '../flags.ts'
import { printJson } from '../output.ts'
import { definer, home, withJson, type Json } from './define.ts'

export function defineMachine(program: Command): void {
  const define = definer(program)
  const defineJson = withJson(define)
  define('setup', 'bring the engines from the distribution (asks for root)', async function (options) {
    process.exitCode = (await import('../commands/setup.ts')).setup(options)
  }).option('--yes', 'do not ask')
  defineJson('doctor', 'each engine: found, version, works or why not', async function (options: Json) {
    process.exitCode = await (await import('../commands/doctor.ts')).doctor(home(this), options)
  })
  const server = define('server', 'run the server here, in the foreground (root)', async function (options) {
    await (await import('../commands/server.ts')).server(home(this), options)
  })
  const start = defineJson(
    'start',
    'run the server under its supervisor (root)',
    async function (options: Json & FlagOptions & { caller?: boolean }) {
      await (await import('../commands/server.ts')).start(home(this), options)
      if (!options.json) return
      const { dir, id, ports } = readHome(home(this))!
      printJson({ home: dir, id, endpoint: `http://127.0.0.1:${ports.api}` })
    },
  ).addOption(new Option('--caller', "the caller's environment is on standard input").hideHelp())
  for (const command of [server, start]) for (const option of flagOptions()) command.addOption(option)
  define('restart', 'restart the server alone; requests are carried meanwhile (root)', async function () {
    await (await import('../commands/server.ts')).restart(home(this))
  })
  define(
    'upgrade [release]',
    'go on with a newer release: its version, file or https URL; without RELEASE the newest (root)',
    async function (release: string | undefined, options: { rollback?: boolean; force?: boolean }) {
      await (await import('../commands/upgrade.ts')).upgrade(home(this), release, options)
    },
  )
    .option('--rollback', 'go back to the version before, and to the data of that moment')
    .option('--force', 'do not ask')
  defineJson(
    'down',
    'stop everything of this home and keep its state',
    async function (options: Json & { purge?: boolean; orphans?: boolean }) {
      if (options.orphans)
        return (await import('../commands/down-orphans.ts')).downOrphans(home(this), options)
      await (await import('../commands/down.ts')).down(home(this), options)
      if (options.json) printJson({ home: home(this), purged: options.purge === true })
    },
  )
    .option('--purge', 'delete the home, too')
    .addOption(new Option('--orphans', 'remove what homes left whose folder is gone').conflicts('purge'))
    .option('--force', 'do not ask')
  defineJson(
    'uninstall',
    'undo what setup did to this machine, and say what stays',
    async function (options: Json & { force?: boolean }) {
      await (await import('../commands/uninstall.ts')).uninstall(home(this), options)
    },
  ).option('--force', 'do not ask')
}

export function defineService(program: Command): void {
  const service = program
    .command('service')
    .description('run the server as a service of the system (systemd)')
  const define = (verb: 'install' | 'status' | 'uninstall', description: string) =>
    withJson(definer(service))(verb, description, async function (options: Json & { caller?: boolean }) {
      const room = await import('../commands/service.ts')
      process.exitCode = (await room[verb](home(this), options)) ?? EXIT.ok
    }).addOption(new Option('--caller', "the caller's environment is on standard input").hideHelp())
  define('install', 'start it now and after each boot')
  define('status', 'whether it is installed, enabled and answers')
  define('uninstall', 'take the service away; the server runs on until the next boot')
}
