// Ports that HAProxy will want on the host's loopback addresses: who has them, if somebody has.
import { createServer } from 'node:net'
import { EngineError } from '../../kernel/errors.ts'
import { run } from '../../kernel/process.ts'

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
  const [, name, pid] = /users:\(\("([^"]*)",pid=(\d+)/.exec(stdout.toString()) ?? []
  return `port ${port} is taken by ${name ? `${name} (pid ${pid})` : 'another program'}`
}

function tryListen(host: string, port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(null)))
  })
}
