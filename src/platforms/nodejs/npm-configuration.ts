// npm's configuration of the machine's owner as one file for the sandbox.
// Places and precedence: https://docs.npmjs.com/cli/configuring-npm/npmrc (environment over user over global).
import type { ConfigurationSources } from '../python/pip-configuration.ts'

const KEYS =
  /^(registry|@[^:]+:registry|\/\/.+:(_authToken|_auth|username|_password|email)|cafile|strict-ssl|proxy|https-proxy|noproxy|fetch-[a-z-]+|omit-lockfile-registry-resolved)$/

/** What decides where packages come from, with credentials; options about npm's own behaviour stay behind. */
export function npmConfiguration({ env, userHome, readText, local }: ConfigurationSources): string {
  const files = ['/etc/npmrc', '/usr/etc/npmrc', env['NPM_CONFIG_USERCONFIG'] ?? `${userHome}/.npmrc`]
  const values = new Map<string, string>()
  for (const path of files) {
    for (const line of (readText(path) ?? '').split(/\r?\n/)) {
      const [, key = '', value = ''] = /^\s*([^#;=][^=]*?)\s*=\s*(.*?)\s*$/.exec(line) ?? []
      const expanded = value
        .replace(/\$\{(\w+)\}/g, (_, name: string) => env[name] ?? '')
        .replace(/^(["'])(.*)\1$/, '$2')
      if (KEYS.test(key)) values.set(key, expanded)
    }
  }
  for (const [name, value] of Object.entries(env)) {
    const key = /^npm_config_(.+)$/i.exec(name)?.[1]?.toLowerCase().replaceAll('_', '-') ?? ''
    if (KEYS.test(key) && value) values.set(key, value)
  }
  const cafile = values.get('cafile')
  if (cafile !== undefined) values.set('cafile', local(cafile))
  return [...values]
    .filter(([, value]) => value !== '')
    .map(([key, value]) => `${key}=${value}\n`)
    .sort()
    .join('')
}
