// What the server must know of the environment of whoever starts it. Builds reach package indexes as that user does, but
// sudo empties the environment; so it is handed on over standard input, since tokens and passwords may be among it.
import { realpathSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { readFileIfAny } from '../kernel/files.ts'

export type Environment = Record<string, string>

/** Everything that readBuildConfiguration (src/platforms) looks at. */
const NAMES =
  /^(?:HOME|SUDO_USER|XDG_CONFIG_HOME|PIP_\w+|npm_config_\w+|(?:https?|no|all|ftp)_proxy|SSL_CERT_(?:FILE|DIR)|(?:REQUESTS|CURL)_CA_BUNDLE|NODE_EXTRA_CA_CERTS|GIT_SSL_CAINFO)$/i

/** The server's own: programs come from the system, never from a folder of the caller's. */
const PATH = '/usr/sbin:/usr/bin:/sbin:/bin'

/** The variables for the server out of those of the caller. Their names are what a shell can export. */
export function serverEnvironment(caller: NodeJS.ProcessEnv, npm = npmFolder(caller)): Environment {
  const wanted = new Set(referenced(caller))
  const kept = Object.entries(caller).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && (NAMES.test(entry[0]) || wanted.has(entry[0])),
  )
  return { ...Object.fromEntries(kept), PATH, ...(npm ? { POLEBEAN_NPM: npm } : {}) }
}

/** An .npmrc may say `${NPM_TOKEN}`: npm takes it from the environment. */
function referenced(caller: NodeJS.ProcessEnv): string[] {
  const path = caller['NPM_CONFIG_USERCONFIG'] ?? caller['npm_config_userconfig']
  const text = readQuietly(path ?? join(caller['HOME'] ?? homedir(), '.npmrc')) ?? ''
  return [...text.matchAll(/\$\{(\w+)\}/g)].map(([, name = '']) => name)
}

function readQuietly(path: string): string | undefined {
  try {
    return readFileIfAny(path)
  } catch {
    return undefined // not ours to read, or a folder
  }
}

/**
 * The package folder of the npm that the caller uses: of the npm that runs us, else the first of the PATH. Version managers
 * keep it in the user's home, where the server would not look.
 */
export function npmFolder(caller: NodeJS.ProcessEnv): string | undefined {
  const running = caller['npm_execpath']
  const found = (caller['PATH'] ?? '').split(':').map((folder) => realPath(join(folder, 'npm')))
  for (const path of [running && realPath(running), ...found])
    if (path && basename(path) === 'npm-cli.js') return dirname(dirname(path))
  return undefined
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path)
  } catch {
    return undefined
  }
}
