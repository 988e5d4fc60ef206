// `exec` and `env`: point any AWS client at a home, for one process, for a shell or by a profile.
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { reasonOf } from '../../kernel/errors.ts'
import { removeProfile, writeProfile } from '../aws-profile.ts'
import { openApi, type Api } from '../client.ts'
import { EXIT, Failure } from '../failure.ts'
import { note, print, printJson } from '../output.ts'
import { REMOTE } from '../remote-api.ts'
import { checkDestination, openTunnel, type Remote, type Tunnel } from '../ssh.ts'

/** Would override or contradict ours: profiles, session tokens, kinds of endpoints. */
const CONTRADICT = [
  'AWS_PROFILE',
  'AWS_DEFAULT_PROFILE',
  'AWS_EB_PROFILE',
  'AWS_SESSION_TOKEN',
  'AWS_SECURITY_TOKEN',
  'AWS_IGNORE_CONFIGURED_ENDPOINT_URLS',
  'AWS_USE_FIPS_ENDPOINT',
  'AWS_USE_DUALSTACK_ENDPOINT',
]
const OURS = [
  'AWS_ENDPOINT_URL',
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_REGION',
  'AWS_DEFAULT_REGION',
] as const
const LOCAL = ['127.0.0.1', 'localhost', '.localhost', '::1']
/** Which entries of NO_PROXY are from us, so that `--unset` leaves the user's own. */
const ADDED = 'POLEBEAN_NO_PROXY'

type Change = { set: Record<string, string>; unset: string[] }

type Target = Pick<Api, 'endpoint' | 'credentials'> & { home: { region: string }; remote?: string }

/** What points AWS clients at the home, for an environment such as `given`. */
export function pointAt({ endpoint, credentials, home }: Target, given: NodeJS.ProcessEnv): Change {
  const before = listOf(given[ADDED])
  const hosts = hostsOf(given)
  // What an earlier `env` added is still ours.
  const added = LOCAL.filter((host) => before.includes(host) || !hosts.includes(host))
  const noProxy = [...new Set([...hosts, ...LOCAL])].join(',')
  return {
    set: {
      AWS_ENDPOINT_URL: endpoint,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_REGION: home.region,
      AWS_DEFAULT_REGION: home.region,
      NO_PROXY: noProxy,
      no_proxy: noProxy,
      [ADDED]: added.join(','),
    },
    // An endpoint of a single service would win over ours: S3 would go elsewhere.
    unset: [
      ...CONTRADICT,
      ...Object.keys(given).filter((name) => /^AWS_ENDPOINT_URL_[A-Z0-9_]+$/.test(name)),
    ],
  }
}

/** What takes it back. Variables that were unset (AWS_PROFILE and the like) are not known any more. */
export function pointAway(given: NodeJS.ProcessEnv): Change {
  const added = listOf(given[ADDED])
  const left = hostsOf(given)
    .filter((host) => !added.includes(host))
    .join(',')
  const proxies = ['NO_PROXY', 'no_proxy'].filter((name) => given[name] !== undefined)
  if (left === '') return { set: {}, unset: [...OURS, ADDED, ...proxies] }
  return { set: Object.fromEntries(proxies.map((name) => [name, left])), unset: [...OURS, ADDED] }
}

const listOf = (text: string | undefined) =>
  (text ?? '')
    .split(',')
    .map((one) => one.trim())
    .filter(Boolean)

// curl and Python read the lower case first, others only one of them: both get what either says.
const hostsOf = (given: NodeJS.ProcessEnv) => [
  ...new Set([...listOf(given.NO_PROXY), ...listOf(given.no_proxy)]),
]

/** Prints what `eval` takes, or writes the profile. */
export function env(homeDir: string, options: { unset?: boolean; profile?: boolean; json?: boolean }): void {
  if (options.profile) return profile(homeDir, options)
  const change = options.unset ? pointAway(process.env) : pointAt(openApi(homeDir), process.env)
  if (options.json) return printJson(change)
  for (const name of change.unset) print(`unset ${name};`)
  for (const [name, value] of Object.entries(change.set)) print(`export ${name}=${quoted(value)};`)
}

function profile(homeDir: string, { unset, json }: { unset?: boolean; json?: boolean }): void {
  const api = unset ? undefined : openApi(homeDir)
  let files: string[]
  try {
    files = api ? writeProfile(api) : removeProfile()
  } catch (error) {
    throw new Failure(`the profile cannot be written: ${reasonOf(error)}`)
  }
  if (json) return printJson({ profile: unset ? null : 'polebean', files })
  if (unset) note(`The profile polebean is in none of ${files.join(', ')} any more.`)
  else note(`Wrote the profile polebean to ${files.join(' and ')}; use it with: aws --profile polebean …`)
}

/** For `eval`, which knows nothing of the exit status of what it reads: a command that says the same and fails. */
export const failInShell = (sentence: string): void =>
  print(`echo ${quoted(`polebean: nothing was set: ${sentence}`)} >&2; false;`)

const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`

/** Runs a command with the endpoint, keys and region of the home; ends as it ends (128 + n after signal n). */
export function exec(homeDir: string, argv: string[]): Promise<number> {
  return runPointed(argv, openApi(homeDir))
}

const SIGNALS = ['SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGHUP'] as const

/** The same with a home on another machine, through a tunnel that ends with the command. */
export async function execRemote(remote: Remote, argv: string[]): Promise<number> {
  checkDestination(remote.destination)
  const stopping = new AbortController()
  let stoppedBy: (typeof SIGNALS)[number] | undefined
  for (const signal of SIGNALS)
    process.on(signal, () => {
      stoppedBy ??= signal
      stopping.abort()
    })
  let tunnel: Tunnel
  try {
    tunnel = await openTunnel(remote, stopping.signal)
  } catch (error) {
    if (stoppedBy) return 128 + constants.signals[stoppedBy]
    throw error
  }
  let ended = false
  void tunnel.lost.then(() => {
    if (!ended) note(`polebean: the connection to ${remote.destination} was lost`)
  })
  try {
    return await runPointed(argv, {
      ...tunnel,
      home: { region: tunnel.region },
      remote: remote.destination,
    })
  } finally {
    ended = true
    await tunnel.close()
  }
}

function runPointed(argv: string[], target: Target): Promise<number> {
  const [file, ...args] = argv
  if (!file)
    throw new Failure(
      'exec needs a command: polebean exec -- aws elasticbeanstalk describe-environments',
      EXIT.usage,
    )
  const { set, unset } = pointAt(target, process.env)
  const env: NodeJS.ProcessEnv = { ...process.env, ...set }
  for (const name of [...unset, ADDED, REMOTE]) delete env[name]
  if (target.remote !== undefined) env[REMOTE] = target.remote
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: 'inherit', env })
    // A terminal sends Ctrl-C and Ctrl-\ to the command as well; what only we are sent is handed on. Either way it is
    // the command that decides when to end.
    const typed = process.stdin.isTTY === true || process.stderr.isTTY === true
    for (const signal of SIGNALS)
      process.on(signal, () => {
        if (!typed || signal === 'SIGTERM' || signal === 'SIGHUP') child.kill(signal)
      })
    child.on('error', (error: NodeJS.ErrnoException) =>
      reject(
        new Failure(`cannot run ${file}: ${error.code === 'ENOENT' ? 'no such program' : error.message}`),
      ),
    )
    child.on('close', (status, signal) =>
      resolve(signal ? 128 + constants.signals[signal] : (status ?? EXIT.failed)),
    )
  })
}
