// Completion for bash, zsh and fish. The scripts ask `polebean complete -- WORDS` for each word, so that environments can
// be completed as well; it answers fast, and with nothing when anything is wrong.
import type { Command, Option } from 'commander'
import { keys } from '../../config/settings.ts'
import { homeDir as homeOf } from '../../home.ts'
import { openApi } from '../client.ts'
import { listEnvironments } from '../environments.ts'
import { EXIT, Failure } from '../failure.ts'
import { instancesOf } from '../instances.ts'
import { print, printJson } from '../output.ts'
import { verbOf } from '../program.ts'
import { programPath } from '../release.ts'

const SHELLS = ['bash', 'zsh', 'fish']
const ANSWER_WITHIN_MS = 1_000

export function completion(shell: string, { json }: { json?: boolean }): void {
  const script = scriptFor(shell)
  if (json) printJson({ shell, script })
  else print(script)
}

function scriptFor(shell: string): string {
  const path = programPath()
  const program = `'${path.replaceAll("'", `'\\''`)}'`
  if (shell === 'bash')
    return `_polebean() {
  local IFS=$'\\n'
  COMPREPLY=($(${program} complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _polebean polebean`
  if (shell === 'zsh')
    return `#compdef polebean
_polebean() {
  local -a found
  found=(\${(f)"$(${program} complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)"})
  if (( $#found )); then compadd -a found; else _files; fi
}
compdef _polebean polebean`
  if (shell === 'fish')
    return `function __polebean_complete
  set -l words (commandline -opc)
  set -e words[1]
  ${path.replaceAll(/[^\w/.-]/g, '\\$&')} complete -- $words (commandline -ct) 2>/dev/null
end
complete -c polebean -n 'not __fish_seen_subcommand_from up exec' -f
complete -c polebean -a '(__polebean_complete)'`
  throw new Failure(`completion is written for bash, zsh and fish, not for '${shell}'`, EXIT.usage)
}

/** Prints what the last of the words may become, one a line. */
export async function complete(program: Command, homeDir: string, words: string[]): Promise<void> {
  // bash breaks words at an equals sign.
  const typed = words.at(-1) === '=' ? '' : (words.at(-1) ?? '')
  const before = words.slice(0, -1).filter((word) => word !== '=')
  const named = before[before.indexOf('--home') + 1]
  const home = before.includes('--home') ? homeOf(named) : homeDir
  for (const found of await candidates(program, home, before, typed))
    if (found.startsWith(typed)) print(found)
  process.exit(EXIT.ok) // not after a request that is too late
}

async function candidates(
  program: Command,
  homeDir: string,
  before: string[],
  typed: string,
): Promise<string[]> {
  const named = verbOf(before)
  const first = named.verb === undefined ? program : commandOf(program, named.verb)
  // `keys list`: the verb of a verb.
  const inner = first && first !== program && first.commands.length > 0 ? verbOf(named.rest) : undefined
  const command = inner?.verb === undefined ? first : commandOf(first!, inner.verb)
  if (!command) return []
  const { verb } = named
  const rest = inner?.verb === undefined ? named.rest : inner.rest
  const options = [...command.options, ...(command === program ? [] : program.options)]
  const takesValue = (word: string | undefined) => optionOf(options, word)?.required === true
  const last = before.at(-1)
  if (takesValue(last)) {
    const long = optionOf(options, last)!.long ?? ''
    if (long === '--user') return ['root', 'webapp']
    if (long === '--protocol') return ['tcp', 'udp']
    if (/--(from|to)$/.test(long)) return [...(await environments(homeDir)), 'outside', 'host']
    return /--(name|environment)$/.test(long) ? environments(homeDir) : []
  }
  // What follows is another program's.
  if (verb === 'ssh' && rest.includes('--')) return []
  if (verb === 'exec' && rest.some((word, at) => !word.startsWith('-') && !takesValue(rest[at - 1])))
    return []
  if (typed.startsWith('-')) return longNames(command)
  if (command.commands.length > 0) return visible(command).map((one) => one.name())
  const given = rest.filter((word, at) => !word.startsWith('-') && !takesValue(rest[at - 1])).length
  const argument = command.registeredArguments[given]?.name()
  if (argument === 'env' || argument === 'target') return environments(homeDir)
  if (argument === 'instance')
    return [...(await environments(homeDir)), ...(await within(instances(homeDir)))]
  if (argument === 'key') return [...keys]
  return argument === 'shell' ? SHELLS : []
}

const optionOf = (options: readonly Option[], word: string | undefined) =>
  options.find((one) => word !== undefined && (one.short === word || one.long === word))
const commandOf = (parent: Command, name: string) => parent.commands.find((one) => one.name() === name)
const visible = (parent: Command) =>
  parent
    .createHelp()
    .visibleCommands(parent)
    .filter((one) => parent.parent === null || one.name() !== 'help')
const longNames = (command: Command) =>
  command
    .createHelp()
    .visibleOptions(command)
    .flatMap((one) => one.long ?? [])

function environments(homeDir: string): Promise<string[]> {
  const names = async () => (await listEnvironments(openApi(homeDir))).map((one) => one.name)
  return within(names())
}

async function instances(homeDir: string): Promise<string[]> {
  const api = openApi(homeDir)
  const each = (await listEnvironments(api)).map((environment) => instancesOf(api, environment))
  return (await Promise.all(each)).flat().map(({ id }) => id)
}

function within(asked: Promise<string[]>): Promise<string[]> {
  const late = new Promise<string[]>((resolve) => setTimeout(resolve, ANSWER_WITHIN_MS, []).unref())
  return Promise.race([asked, late]).catch(() => [])
}
