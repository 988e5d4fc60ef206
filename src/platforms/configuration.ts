// What the machine's owner configured for pip and npm (index, proxy, CA file, local wheels), brought into the build
// sandbox: configuration text with the sandbox's paths, and the files and folders it names as read-only inputs.
import { accessSync, realpathSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { readFileIfAny } from '../kernel/files.ts'
import { npmConfiguration } from './nodejs/npm-configuration.ts'
import type { BuildConfiguration } from './plan.ts'
import { pipConfiguration } from './python/pip-configuration.ts'

type Env = Record<string, string | undefined>

/** Cheap enough to be read anew for each plan. Under sudo it is the configuration of who called sudo. */
export function readBuildConfiguration(env: Env): BuildConfiguration {
  const userHome = homeOf(env)
  const inputs = makeInputs()
  const readText = (path: string) => (exists(path) ? readFileIfAny(path) : undefined)
  const ca = inputs.local(
    env['PIP_CERT'] ?? env['REQUESTS_CA_BUNDLE'] ?? env['SSL_CERT_FILE'] ?? env['NODE_EXTRA_CA_CERTS'] ?? '',
  )
  const pip = pipConfiguration({ env, userHome, readText, local: inputs.local })
  const npm = npmConfiguration({ env, userHome, readText, local: inputs.local })
  const npmDir = findNpm(env)
  return {
    files: [
      { name: 'pip.conf', content: pip, mode: 0o644 },
      { name: 'npmrc', content: npm, mode: 0o644 },
    ],
    inputs: inputs.list,
    env: {
      ...proxies(env),
      PIP_CONFIG_FILE: '/build/in/pip.conf',
      NPM_CONFIG_USERCONFIG: '/build/in/npmrc',
      // For what pip and npm start themselves: git, compilers that fetch, node.
      ...(ca
        ? {
            SSL_CERT_FILE: ca,
            REQUESTS_CA_BUNDLE: ca,
            CURL_CA_BUNDLE: ca,
            GIT_SSL_CAINFO: ca,
            NODE_EXTRA_CA_CERTS: ca,
          }
        : {}),
    },
    ...(npmDir ? { npmDir } : {}),
  }
}

function homeOf(env: Env): string {
  const user = env['SUDO_USER']
  const line =
    user &&
    readFileIfAny('/etc/passwd')
      ?.split('\n')
      .find((each) => each.startsWith(`${user}:`))
  return (line && line.split(':')[5]) || env['HOME'] || '/root'
}

function makeInputs() {
  const list: { name: string; path: string }[] = []
  return {
    list,
    /** Makes a host path an input and answers where the sandbox sees it; '' when there is no such thing. */
    local: (path: string): string => {
      if (path === '' || !exists(path)) return ''
      const there = list.find((input) => input.path === path)
      const input = there ?? { name: `configured-${list.length}`, path }
      if (!there) list.push(input)
      return `/build/in/${input.name}`
    },
  }
}

function exists(path: string): boolean {
  try {
    accessSync(path)
    return path.startsWith('/')
  } catch {
    return false
  }
}

const PROXIES = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'ALL_PROXY']

const proxies = (env: Env) =>
  Object.fromEntries(
    [...PROXIES, ...PROXIES.map((name) => name.toLowerCase())].flatMap((name) =>
      env[name] ? [[name, env[name]]] : [],
    ),
  )

// The npm of the PATH, through its links: `…/npm/bin/npm-cli.js`. Then where distributions put it, since the PATH of a
// server started by root or systemd may be short.
function findNpm(env: Env): string | undefined {
  const programs = (env['PATH'] ?? '').split(':').map((folder) => join(folder, 'npm'))
  const beside = join(dirname(process.execPath), '..', 'lib/node_modules/npm/bin/npm-cli.js')
  const known = ['/usr/lib/node_modules/npm', '/usr/share/nodejs/npm', '/usr/local/lib/node_modules/npm']
  for (const program of [...programs, beside, ...known.map((folder) => `${folder}/bin/npm-cli.js`)]) {
    if (!exists(program)) continue
    const folder = dirname(dirname(realpathSync(program)))
    if (exists(join(folder, 'package.json')) && statSync(folder).isDirectory()) return folder
  }
  return undefined
}
