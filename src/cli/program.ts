// The commands; verbs/ has their arguments and options. What a command does is loaded only when it is used, so that each starts
// fast.
import { Command } from 'commander'
import { describeVersion } from './release.ts'
import { defineClients, defineKeys } from './verbs/clients.ts'
import { definer, home, HOME, withJson } from './verbs/define.ts'
import { defineEnvironments } from './verbs/environments.ts'
import { defineBackup, defineConfig } from './verbs/home.ts'
import { defineMachine, defineService } from './verbs/machine.ts'

export function makeProgram(): Command {
  const program = new Command('polebean')
    .description('Elastic Beanstalk on your own machines')
    .option(...HOME)
    .version(describeVersion())
    .exitOverride()
    .showHelpAfterError()
    .enablePositionalOptions()
  defineEnvironments(program)
  defineClients(program)
  defineMachine(program)
  defineKeys(program)
  defineBackup(program)
  defineConfig(program)
  defineService(program)
  const define = withJson(definer(program))
  define('completion <shell>', 'print completion for bash, zsh or fish', async (shell: string, options) => {
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
