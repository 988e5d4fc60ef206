// The pinned Node and the libraries, from the npm registry.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'

/** What npm still has to do in the folder `root`: nothing when everything is there in the version that is locked. */
export function missingModules(root, { development = false } = {}) {
  const wanted = Object.entries(read(join(root, 'package-lock.json'))).filter(
    ([path, entry]) => path !== '' && (development || !entry.dev) && suits(entry),
  )
  const there = read(join(root, 'node_modules/.package-lock.json'))
  return {
    missing: wanted
      .filter(([path, { version }]) => there[path]?.version !== version || !existsSync(join(root, path)))
      .map(([path]) => path.replace(/^.*node_modules\//, '')),
    development: development || Object.values(there).some(({ dev }) => dev),
  }
}

/** Runs `npm ci` unless everything is there. Tools for development stay when they are there. */
export function ensureModules(root, options) {
  const { missing, development } = missingModules(root, options)
  if (missing.length === 0 && existsSync(join(root, 'node_modules/.bin/node'))) return
  const node = missing.some((name) => name.startsWith('node-linux-'))
  const others = missing.length - (node ? 1 : 0)
  const libraries = `${others} ${others === 1 ? 'library' : 'libraries'}`
  const what = [
    ...(node ? ['the pinned Node (57 MB to fetch)'] : []),
    // Only what users get is small; compilers and linters are not.
    ...(others > 0 ? [development ? `${libraries} for development, too` : `${libraries} (1 MB)`] : []),
  ]
  process.stderr.write(`Installing ${what.join(' and ') || 'the libraries'} from the npm registry …\n`)
  const omit = development ? [] : ['--omit=dev']
  const result = spawnSync('npm', ['ci', ...omit, '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  })
  if (result.error) throw new Error(`cannot run npm: ${result.error.message}`)
  if (result.status !== 0) throw new Error('npm ci failed; its output is above.')
  linkNode(root)
}

/** npm 9 brings the pinned Node, and leaves its link out when tools for development are left out (seen with 9.2). */
function linkNode(root) {
  const link = join(root, 'node_modules/.bin/node')
  if (existsSync(link)) return
  const program = `node-linux-${process.arch}/bin/node`
  // It is an optional dependency, one for each architecture: npm says nothing when it could not have it.
  if (!existsSync(join(root, 'node_modules', program)))
    throw new Error(
      'npm ci did not bring the pinned Node; see the logs that npm keeps (npm config get cache).',
    )
  rmSync(link, { force: true })
  mkdirSync(join(root, 'node_modules/.bin'), { recursive: true })
  symlinkSync(`../${program}`, link)
}

const read = (path) => (existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).packages : {})

// The pinned Node is built for glibc, so everything else is, too.
const suits = ({ os, cpu, libc }) =>
  [
    [os, process.platform],
    [cpu, process.arch],
    [libc, 'glibc'],
  ].every(([allowed, own]) => allowed === undefined || [allowed].flat().includes(own))
