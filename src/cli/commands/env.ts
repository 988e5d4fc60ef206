// `exec` and `env`: point any AWS client at a home, for one process or for a shell.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { writeFileAtomic } from '../../kernel/files.ts'
import { openApi, type Api } from '../client.ts'
import { EXIT, Failure } from '../failure.ts'
import { note, print } from '../output.ts'

/** Would override or contradict ours: profiles, session tokens, endpoints of single services. */
const UNSET = [
  'AWS_PROFILE',
  'AWS_DEFAULT_PROFILE',
  'AWS_EB_PROFILE',
  'AWS_SESSION_TOKEN',
  'AWS_SECURITY_TOKEN',
  'AWS_IGNORE_CONFIGURED_ENDPOINT_URLS',
]

function variables(api: Api): Record<string, string> {
  const local = ['127.0.0.1', 'localhost', '.localhost', '::1']
  const noProxy = [
    ...new Set([
      ...(process.env.NO_PROXY ?? process.env.no_proxy ?? '').split(',').filter(Boolean),
      ...local,
    ]),
  ].join(',')
  return {
    AWS_ENDPOINT_URL: api.endpoint,
    AWS_ACCESS_KEY_ID: api.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: api.credentials.secretAccessKey,
    AWS_REGION: api.home.region,
    AWS_DEFAULT_REGION: api.home.region,
    NO_PROXY: noProxy,
    no_proxy: noProxy,
  }
}

/** Runs a command with the endpoint, keys and region of the home; ends with its exit status. */
export function exec(homeDir: string, argv: string[]): Promise<number> {
  const [file, ...args] = argv
  if (!file)
    throw new Failure(
      'exec needs a command: polebean exec -- aws elasticbeanstalk describe-environments',
      EXIT.usage,
    )
  const env: NodeJS.ProcessEnv = { ...process.env, ...variables(openApi(homeDir)) }
  for (const name of [...UNSET, ...Object.keys(env).filter((name) => /^AWS_ENDPOINT_URL_/.test(name))])
    delete env[name]
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: 'inherit', env })
    child.on('error', (error) => reject(new Failure(`cannot run ${file}: ${error.message}`)))
    child.on('close', (status, signal) => resolve(signal ? 128 : (status ?? 1)))
  })
}

/** Prints what `eval` takes. A failure inside eval would be silent, so it prints a command that fails loudly too. */
export function env(homeDir: string, options: { unset?: boolean; profile?: boolean }): void {
  try {
    const api = options.unset ? undefined : openApi(homeDir)
    if (options.profile) return writeProfile(api ?? openApi(homeDir))
    const all = api ? Object.entries(variables(api)) : []
    const gone = options.unset
      ? ['AWS_ENDPOINT_URL', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_REGION', 'AWS_DEFAULT_REGION']
      : UNSET
    for (const name of gone) print(`unset ${name};`)
    for (const [name, value] of all) print(`export ${name}=${quoted(value)};`)
  } catch (error) {
    if (error instanceof Failure) print(`echo ${quoted(`polebean: ${error.message}`)} >&2; false;`)
    throw error
  }
}

const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`

/** Writes the AWS profile `polebean` into the user's AWS files, leaving every other profile as it is. */
function writeProfile(api: Api): void {
  const folder = join(homedir(), '.aws')
  const { accessKeyId, secretAccessKey } = api.credentials
  replaceSection(join(folder, 'config'), 'profile polebean', [
    `region = ${api.home.region}`,
    `endpoint_url = ${api.endpoint}`,
  ])
  replaceSection(join(folder, 'credentials'), 'polebean', [
    `aws_access_key_id = ${accessKeyId}`,
    `aws_secret_access_key = ${secretAccessKey}`,
  ])
  note('Wrote the profile polebean to ~/.aws; use it with: aws --profile polebean …')
}

function replaceSection(path: string, name: string, lines: string[]): void {
  let text = ''
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  const sections = text.split(/^(?=\[)/m).filter((section) => !section.startsWith(`[${name}]`))
  writeFileAtomic(
    path,
    `${[...sections, `[${name}]\n${lines.join('\n')}\n`].join('').replace(/^\n+/, '')}`,
    0o600,
  )
}
