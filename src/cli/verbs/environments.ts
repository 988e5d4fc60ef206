// Commands about environments: what they are, what is to become of them, and what nothing uses any more.
import type { Command } from 'commander'
import { collect, definer, home, withJson, type Define, type Env, type Json } from './define.ts'

const show = () => import('../commands/show.ts')
const change = () => import('../commands/change.ts')

export function defineEnvironments(program: Command): void {
  const define = withJson(definer(program))
  defineReading(define)
  defineDns(define)
  defineDomains(program)
  defineAuthority(define)
  defineFirewall(define)
  defineChanging(define)
  definePrune(define)
}

function defineReading(define: Define): void {
  define('list', 'environments of this home', async function (options: Json) {
    await (await show()).list(home(this), options)
  })
  define(
    'status [env]',
    'an environment, its health and its instances; without ENV also what the home takes of its disk',
    async function (env: Env, options: Json) {
      await (await show()).status(home(this), env, options)
    },
  )
  define(
    'top [env]',
    'how environments fare, as it changes; with ENV its instances',
    async function (env: Env, options: Json & { once?: boolean; interval: string }) {
      await (await import('../commands/top.ts')).top(home(this), env, options)
    },
  )
    .option('--once', 'print it once, as when standard output is no terminal')
    .option('--interval <seconds>', 'how often', '2')
  define('events [env]', 'what happened', async function (env: Env, options: Json & { follow?: boolean }) {
    await (await show()).events(home(this), env, options)
  }).option('-f, --follow', 'go on as they happen')
  define(
    'logs [env]',
    'the last lines of every instance',
    async function (env: Env, options: Json & { follow?: boolean; instance?: string }) {
      await (await import('../commands/logs.ts')).logs(home(this), env, options)
    },
  )
    .option('-f, --follow', 'go on as they grow')
    .option('--instance <id>', 'of one instance, which may have ended within the last week')
  define('open [env]', 'open the URL in a browser', async function (env: Env, options: Json) {
    process.exitCode = await (await import('../commands/open.ts')).open(home(this), env, options)
  })
  define('printenv [env]', 'environment properties', async function (env: Env, options: Json) {
    await (await show()).printenv(home(this), env, options)
  })
  define(
    'why [target]',
    'walk a URL or environment from its name to its process, and say what is wrong',
    async function (target: string | undefined, options: Json) {
      process.exitCode = await (await import('../commands/why.ts')).why(home(this), target, options)
    },
  )
}

function defineDns(define: Define): void {
  define('dns', 'which name leads where and why, as the name server answers', async function (options: Json) {
    process.exitCode = await (await import('../commands/dns.ts')).dns(home(this), options)
  })
}

const domain = () => import('../commands/domain.ts')

type Adding = Json & { wait?: string; redirect?: boolean; https?: boolean }

function defineDomains(program: Command): void {
  const group = program
    .command('domain')
    .description('names of your own that lead to environments, by HTTPS: add, list, remove')
  const define = withJson(definer(group))
  define(
    'add <name> [env]',
    'lead a name to an environment, with a certificate and by HTTPS',
    async function (name: string, env: Env, options: Adding) {
      await (await domain()).add(home(this), name, env, options)
    },
  )
    .option('--wait <seconds>', 'for the certificate (default: 120); it is ordered in any case')
    .option('--no-https', 'no certificate: the name leads there by HTTP')
    .option('--no-redirect', 'requests by HTTP stay there')
  define('list', 'certificates that were asked for, and how far they are', async function (options: Json) {
    await (await domain()).list(home(this), options)
  })
  define(
    'remove <name> [env]',
    'the name leads there no more; its certificate goes',
    async function (name: string, env: Env, options: Json) {
      await (await domain()).remove(home(this), name, env, options)
    },
  )
}

function defineAuthority(define: Define): void {
  define(
    'ca',
    "the certificate of this home's own authority, for names below .localhost",
    async function (options: Json) {
      await (await import('../commands/ca.ts')).ca(home(this), options)
    },
  )
}

function defineFirewall(define: Define): void {
  define(
    'firewall [env]',
    'who may reach whom, as it is enforced; with --from and --to: whether one reaches another, and by which rule',
    async function (env: Env, options: Json) {
      process.exitCode = await (await import('../commands/firewall.ts')).firewall(home(this), env, options)
    },
  )
    .option('--from <end>', 'an instance, address, environment, group or load balancer; outside; host')
    .option('--to <end>', 'the same')
    .option('--port <port>', 'at this port (default: any)')
    .option('--protocol <protocol>', 'tcp (default) or udp')
}

function defineChanging(define: Define): void {
  define(
    'up [dir]',
    'start Polebean if need be, deploy a folder (this one), print its URL',
    async function (dir: string | undefined, options) {
      await (await import('../commands/up.ts')).up(home(this), dir, options)
    },
  )
    .option('-n, --name <environment>', 'name of the environment (default: the folder)')
    .option('--env <NAME=VALUE>', 'an environment property; may be repeated', collect)
  define(
    'setenv <pairs...>',
    'set NAME=VALUE, remove NAME=',
    async function (pairs: string[], options: Json & { environment?: string }) {
      await (await change()).setenv(home(this), options.environment, pairs, options)
    },
  ).option('-e, --environment <env>', 'which environment')
  define(
    'scale <count> [env]',
    'run that many instances',
    async function (count: string, env: Env, options: Json) {
      await (await change()).scale(home(this), env, count, options)
    },
  )
  define(
    'terminate [env]',
    'end an environment and everything it has',
    async function (env: Env, options: Json & { force?: boolean }) {
      await (await change()).terminate(home(this), env, options)
    },
  ).option('--force', 'do not ask')
}

function definePrune(define: Define): void {
  define(
    'prune',
    'remove what nothing uses: built dependencies, logs of instances that are gone',
    async function (options: Json & { dryRun?: boolean }) {
      await (await import('../commands/room.ts')).prune(home(this), options)
    },
  ).option('--dry-run', 'only say what, and how much')
}
