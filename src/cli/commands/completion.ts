// Completion for bash, zsh and fish, written from the commands themselves.
import type { Command } from 'commander'
import { EXIT, Failure } from '../failure.ts'
import { print } from '../output.ts'

export function completion(program: Command, shell: string): void {
  const commands = program.commands.map((command) => ({ name: command.name(), about: command.description() }))
  const names = commands.map((one) => one.name).join(' ')
  if (shell === 'bash')
    return print(`_polebean() { [ "$COMP_CWORD" = 1 ] && COMPREPLY=($(compgen -W '${names}' -- "\${COMP_WORDS[1]}")); }
complete -o default -F _polebean polebean`)
  if (shell === 'zsh')
    return print(`#compdef polebean
_polebean() { local -a c; c=(${commands.map((one) => `'${one.name}:${plain(one.about)}'`).join(' ')}); (( CURRENT == 2 )) && _describe command c || _files; }
compdef _polebean polebean`)
  if (shell === 'fish')
    return print(
      commands
        .map(
          (one) => `complete -c polebean -n __fish_use_subcommand -f -a ${one.name} -d '${plain(one.about)}'`,
        )
        .join('\n'),
    )
  throw new Failure(`completion is written for bash, zsh and fish, not for '${shell}'`, EXIT.usage)
}

const plain = (text: string) => text.replace(/['":]/g, '')
