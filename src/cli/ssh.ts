// A tunnel to the API of a home on another machine, by the ssh that is there. One connection (so one login) carries all:
// what fetches endpoint and keys, the forwarding, and a session that stays open for as long as this process lives, so
// that the connection ends with it, whatever ends it.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Credentials } from '../home.ts'
import { EXIT, Failure } from './failure.ts'
import { isForRoot, whyNoConnection, whyNoFacts, whyNoSudo } from './ssh-failure.ts'

export type Remote = {
  /** As ssh takes it: user@host, a name of ~/.ssh/config, ssh://… */
  destination: string
  /** As of ssh's -o: `Port=2222`. They win over ours. */
  options: string[]
  /** The program there. */
  polebean: string
  /** The home there; undefined: what that program takes by itself. */
  home: string | undefined
}

export type Tunnel = {
  /** On this machine. */
  endpoint: string
  region: string
  credentials: Credentials
  /** Resolves when the connection has ended before `close`. */
  lost: Promise<void>
  close(): Promise<void>
}

/** Seconds that the connection outlives the last session; it ends so when this process was killed. */
const PERSIST_SECONDS = 5
const FORWARD_TRIES = 3
const ANSWER_TIMEOUT_MS = 10_000
const OURS = [
  'ConnectTimeout=15',
  'ServerAliveInterval=15',
  'ServerAliveCountMax=3',
  `ControlPersist=${PERSIST_SECONDS}`,
  'ControlMaster=yes',
  'ExitOnForwardFailure=yes',
  // What the user's configuration has for people who log in.
  'ClearAllForwardings=yes',
  'RemoteCommand=none',
  'RequestTTY=no',
]

/** Throws a Failure, a sentence about what is in the way; when `signal` is aborted, too. Nothing is left then. */
export async function openTunnel(remote: Remote, signal: AbortSignal): Promise<Tunnel> {
  // Short: the path of a socket has at most 104 bytes on some systems, and ssh appends 17 meanwhile.
  const dir = mkdtempSync(join(tmpdir(), 'pb-ssh-'))
  const socket = join(dir, 's')
  const { destination } = remote
  // Never a connection of its own: that would ask for passwords again, and under another configuration.
  const shared = ['-F', '/dev/null', '-S', socket, '-o', 'ControlMaster=no', '-o', 'ProxyCommand=false', '-T']
  let keeper: ChildProcess | undefined
  const close = async () => {
    keeper?.kill()
    await ssh([...shared, '-O', 'exit', '--', destination])
    rmSync(dir, { recursive: true, force: true })
  }
  try {
    const facts = await fetchFacts(remote, socket, shared, signal)
    keeper = spawn('ssh', [...shared, '--', destination, 'cat'], {
      stdio: ['pipe', 'ignore', 'ignore'],
      // Ctrl-C on the terminal is for the command, which may have something to tidy up on the other side.
      detached: true,
    })
    const lost = once(keeper, 'close').then(() => undefined)
    const port = await forward(shared, destination, facts.port)
    signal.throwIfAborted()
    await checkAnswer(destination, port)
    signal.throwIfAborted()
    return { endpoint: `http://127.0.0.1:${port}`, ...facts, lost, close }
  } catch (error) {
    await close()
    throw error
  }
}

type Facts = { port: number; region: string; credentials: Credentials }

async function fetchFacts(
  { destination, options, polebean, home }: Remote,
  socket: string,
  shared: string[],
  signal: AbortSignal,
): Promise<Facts> {
  const command = [polebean, 'env', '--json', ...(home === undefined ? [] : ['--home', home])].map(quoted)
  const chosen = [...options, `ControlPath=${socket}`, ...OURS].flatMap((one) => ['-o', one])
  const first = await ssh([...chosen, '-T', '--', destination, command.join(' ')], signal)
  signal.throwIfAborted()
  if (first.status === 255) throw new Failure(whyNoConnection(destination, first.stderr))
  if (first.status === 0) return factsOf(destination, first.stdout)
  if (!isForRoot(first.stderr)) throw new Failure(whyNoFacts(destination, polebean, first))
  const asRoot = await ssh([...shared, '--', destination, ['sudo', '-n', ...command].join(' ')], signal)
  signal.throwIfAborted()
  if (asRoot.status === 0) return factsOf(destination, asRoot.stdout)
  const why = whyNoSudo(destination, asRoot)
  if (why !== undefined) throw new Failure(why)
  throw new Failure(whyNoFacts(destination, polebean, asRoot))
}

function factsOf(destination: string, said: string): Facts {
  try {
    // A shell's start file may have said something before.
    const { set } = JSON.parse(said.slice(said.indexOf('{'))) as { set: Record<string, string> }
    const [, port] = /^http:\/\/127\.0\.0\.1:(\d{1,5})$/.exec(set.AWS_ENDPOINT_URL ?? '') ?? []
    const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION } = set
    if (port && AWS_ACCESS_KEY_ID && AWS_SECRET_ACCESS_KEY && AWS_REGION)
      return {
        port: Number(port),
        region: AWS_REGION,
        credentials: { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY },
      }
  } catch {
    // not JSON
  }
  throw new Failure(`what answers on ${destination} to polebean env --json is no Polebean of this kind`)
}

/** Answers the port on this machine that leads to `port` there. */
async function forward(shared: string[], destination: string, port: number): Promise<number> {
  let said = ''
  for (let tries = 0; tries < FORWARD_TRIES; tries++) {
    // Between finding a port free and taking it, somebody else may.
    const free = await freePort()
    const way = `127.0.0.1:${free}:127.0.0.1:${port}`
    const { status, stderr } = await ssh([...shared, '-O', 'forward', '-L', way, '--', destination])
    if (status === 0) return free
    said = stderr
  }
  throw new Failure(`ssh cannot forward a port to ${destination}: ${said.trim().split('\n').at(-1) ?? ''}`)
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise((closed) => server.close(closed))
  return port
}

async function checkAnswer(destination: string, port: number): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${port}/healthz`, {
    signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
  }).catch(() => undefined)
  if (answer?.ok) return
  throw new Failure(
    `Polebean on ${destination} does not answer through the tunnel: it is not running there (start it with: ` +
      `sudo polebean start), or the ssh server forbids forwarding (AllowTcpForwarding in its configuration)`,
  )
}

type Ran = { status: number; stdout: string; stderr: string }

/** Runs ssh to its end. What it asks (passwords, host keys) it asks the terminal, not us. */
async function ssh(args: string[], signal?: AbortSignal): Promise<Ran> {
  const child = spawn('ssh', args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk))
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk))
  const stop = () => child.kill()
  signal?.addEventListener('abort', stop)
  try {
    const read = once(child.stdout, 'end')
    // Not `close`: in some versions the connection that goes on in the background keeps stderr open.
    const [status] = (await once(child, 'exit')) as [number | null]
    await read
    return { status: status ?? 255, stdout, stderr }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      throw new Failure('there is no ssh on this machine; install OpenSSH’s client (openssh-client)')
    throw error
  } finally {
    signal?.removeEventListener('abort', stop)
  }
}

/** For the shell of the machine there; `~/` stays its own. */
function quoted(word: string): string {
  if (word.startsWith('~/')) return `~/${quoted(word.slice(2))}`
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

/** Throws a usage error for what ssh would take for an option or a default. */
export function checkDestination(destination: string): void {
  if (destination !== '' && !destination.startsWith('-')) return
  throw new Failure(`--ssh names a machine, such as user@host, not '${destination}'`, EXIT.usage)
}
