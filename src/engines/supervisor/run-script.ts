// The scripts that runit starts, as text. Values are single-quoted, never interpolated raw.
import { EngineError } from '../../kernel/errors.ts'
import type { Service } from './engine.ts'

/** `run` of a service: output to the log's pipe, a clean environment, then the daemon in place of the shell. */
export function renderRunScript(service: Service): string {
  const { name, argv, env, filesMax } = checkService(service)
  const variables = Object.entries({ PATH: DAEMON_PATH, LC_ALL: 'C.UTF-8', ...env })
  const limit =
    filesMax === null ? [] : [`ulimit -n ${filesMax} || echo '${name}: cannot have ${filesMax} open files'`]
  return [
    // Nothing of the supervisor's environment. Values are the shell's own business: as words of `env` every user of the
    // machine could read them for a moment, and some hold passwords.
    '#!/usr/bin/env -S -i /bin/sh',
    'exec 2>&1',
    'cd /',
    ...limit,
    ...variables.map(([key, value]) => `export ${quote(`${key}=${value}`)}`),
    `exec ${argv.map(quote).join(' ')}`,
    '',
  ].join('\n')
}

/** `log/run`: a bounded log, each line with its time (UTC). */
export function renderLogScript(logDir: string): string {
  // A longer line than `-l` may be cut in two by a new file.
  return [
    '#!/bin/sh',
    `mkdir -p ${quote(logDir)}`,
    `exec svlogd -tt -l 9000 -b 16384 ${quote(logDir)}`,
    '',
  ].join('\n')
}

/** svlogd's `config`. */
export const renderLogLimits = ({ fileBytes, files }: NonNullable<Service['log']> = LOG_LIMITS): string =>
  `s${fileBytes}\nn${files}\n`
const LOG_LIMITS = { fileBytes: 1_000_000, files: 5 }

/** One word of sh, whatever is in it. */
export function quote(word: string): string {
  if (word.includes('\0')) throw new EngineError('a word of a command holds a NUL byte')
  return `'${word.replaceAll("'", `'\\''`)}'`
}

export function checkName(name: string): string {
  if (!/^[a-z0-9][a-z0-9-]{0,31}$/.test(name))
    throw new EngineError(`not a service name: ${JSON.stringify(name)}`)
  return name
}

const DAEMON_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

function checkService(service: Service): Service {
  checkName(service.name)
  if (service.argv.length === 0 || service.argv[0] === '')
    throw new EngineError(`${service.name}: nothing to run`)
  for (const key of Object.keys(service.env))
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(key))
      throw new EngineError(
        `${service.name}: not the name of an environment variable: ${JSON.stringify(key)}`,
      )
  if (service.filesMax !== null && !(Number.isInteger(service.filesMax) && service.filesMax > 0))
    throw new EngineError(`${service.name}: not a number of open files: ${service.filesMax}`)
  return service
}
