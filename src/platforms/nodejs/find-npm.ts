// Where npm's own package lies on this machine: it is laid into instances beside Node.js. npm needs no installation.
import { existsSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { readFileIfAny } from '../../kernel/files.ts'

export type Npm = {
  /** The folder `npm` of …/node_modules/npm. */
  dir: string
  version: string
}

/** Where distributions put it. */
const KNOWN = ['/usr/lib/node_modules/npm', '/usr/share/nodejs/npm', '/usr/local/lib/node_modules/npm']

/** First POLEBEAN_NPM, in which whoever called the server hands over the npm that they use (of nvm, fnm, in /opt): the
 *  PATH of a server under root or systemd may know nothing of it. Then the npm of the PATH, through its links
 *  (`…/npm/bin/npm-cli.js`), then the known places. */
export function findNpm(env: Record<string, string | undefined>, known = KNOWN): Npm | undefined {
  const programs = (env['PATH'] ?? '').split(':').map((folder) => join(folder, 'npm'))
  const ofPath = programs
    .filter((program) => program.startsWith('/') && existsSync(program))
    .map((program) => dirname(dirname(realpathSync(program))))
  for (const dir of [env['POLEBEAN_NPM'] ?? '', ...ofPath, ...known]) {
    const version = dir.startsWith('/') ? versionOf(dir) : undefined
    if (version !== undefined) return { dir, version }
  }
  return undefined
}

function versionOf(dir: string): string | undefined {
  const text = existsSync(join(dir, 'bin/npm-cli.js')) ? readFileIfAny(join(dir, 'package.json')) : undefined
  return text === undefined ? undefined : /"version"\s*:\s*"([^"]+)"/.exec(text)?.[1]
}
