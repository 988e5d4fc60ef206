// Ports that HAProxy will want on the host's loopback addresses: who has them, if somebody has.
import { createServer } from 'node:net'
import { EngineError } from '../../kernel/errors.ts'
import { readFileIfAny } from '../../kernel/files.ts'
import { run, runOk } from '../../kernel/process.ts'
import { type Bind, holdersOf, type Listening, parseListening } from './wanted-ports.ts'

/** Whether ::1 exists on this machine. */
export const hasIpv6Loopback = (): boolean => /^0{31}1 /m.test(readFileIfAny('/proc/net/if_inet6') ?? '')

/** The loopback addresses of this machine. */
export const loopbackAddresses = (): string[] => (hasIpv6Loopback() ? ['127.0.0.1', '::1'] : ['127.0.0.1'])

/** Throws an EngineError that names port and holder when one of the ports cannot be had. */
export async function checkPortsFree(ports: number[], addresses: string[]): Promise<void> {
  for (const port of ports) {
    const codes = await Promise.all(addresses.map((address) => tryListen(address, port)))
    const code = codes.find((one) => one !== null)
    if (code) throw new EngineError(await explainPort(port, code))
  }
}

/** `port 8080 is taken by nginx (pid 12)`. */
export async function explainPort(port: number, code: string): Promise<string> {
  if (code !== 'EADDRINUSE') return `port ${port} cannot be listened on: ${code}`
  const { stdout } = await run(['ss', '-Hltnp', `sport = :${port}`])
  return `port ${port} ${takenBy(parseListening(stdout.toString())[0])}`
}

/**
 * Those of `binds` that cannot be had, each with `is taken by NAME (pid N)` or another reason. `isOurs` knows a process that
 * may have them. What no list shows is tried: a socket that is bound and does not listen, an address that the machine has
 * not. A reload that fails for one of them would stop the worker in force for seconds.
 */
export async function takenBinds(
  binds: Bind[],
  isOurs: (pid: number) => boolean,
): Promise<Map<Bind, string>> {
  const taken = new Map<Bind, string>()
  if (binds.length === 0) return taken
  const listening = parseListening(await runOk(['ss', '-Hltnp']))
  for (const bind of binds) {
    const holders = holdersOf(bind, listening)
    const other = holders.find((one) => !one.holders.some(({ pid }) => isOurs(pid)))
    if (other) taken.set(bind, takenBy(other))
    // Our own gives way: HAProxy hands its sockets on, or lets go of them.
    if (holders.length > 0) continue
    const code = await tryBind(bind)
    if (code !== null) taken.set(bind, `cannot be listened on: ${REASONS[code] ?? code}`)
  }
  return taken
}

const REASONS: Record<string, string> = {
  EADDRINUSE: 'Address already in use',
  EADDRNOTAVAIL: 'this machine has no such address',
  EAFNOSUPPORT: 'this machine has no such address',
}

function takenBy(listening: Listening | undefined): string {
  const [holder] = listening?.holders ?? []
  return `is taken by ${holder ? `${holder.name} (pid ${holder.pid})` : 'another program'}`
}

const tryBind = (bind: Bind) => {
  const at = bind.lastIndexOf(':')
  return tryListen(bind.slice(0, at).replace(/^\[|\]$/g, ''), Number(bind.slice(at + 1)))
}

function tryListen(host: string, port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(null)))
  })
}
