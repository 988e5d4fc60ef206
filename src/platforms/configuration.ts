// What the machine's owner configured for pip and npm (index, proxy, CA file, local wheels), brought into the build
// sandbox: configuration text with the sandbox's paths, and the files and folders it names as read-only inputs.
import { accessSync } from 'node:fs'
import { readFileIfAny } from '../kernel/files.ts'
import { findNpm } from './nodejs/find-npm.ts'
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
  const npmrc = npmConfiguration({ env, userHome, readText, local: inputs.local })
  const npm = findNpm(env)
  return {
    files: [
      { name: 'pip.conf', content: pip, mode: 0o644 },
      { name: 'npmrc', content: npmrc, mode: 0o644 },
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
    ...(npm ? { npm } : {}),
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
