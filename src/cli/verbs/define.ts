// What the definitions of all commands share.
import type { Command } from 'commander'
import { homeDir } from '../../home.ts'

export const HOME = ['--home <dir>', 'which home (also POLEBEAN_HOME)'] as const

/** Adds a command: usage as commander reads it, a description for the help, what it does. */
export type Define = (
  usage: string,
  description: string,
  action: (this: Command, ...args: never[]) => unknown,
) => Command
export type Json = { json?: boolean }
export type Env = string | undefined

/** Defines commands below `parent`, which is the program or a group; each takes --home. */
export const definer =
  (parent: Command): Define =>
  (usage, description, action) =>
    parent
      .command(usage)
      .description(description)
      .option(...HOME)
      .action(action as never)

/** The same, with --json as well. */
export const withJson =
  (define: Define): Define =>
  (...args) =>
    define(...args).option('--json', 'print JSON')

export const home = (command: Command): string =>
  homeDir((command.optsWithGlobals() as { home?: string }).home)

export const collect = (value: string, before: string[] | undefined): string[] => [...(before ?? []), value]
