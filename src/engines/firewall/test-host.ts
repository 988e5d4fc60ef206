// A host of a test: runs inside a network namespace, serves an echo on ports and opens connections, told on stdin by one
// JSON line each; answers one line each on stdout.
import { createSocket } from 'node:dgram'
import { connect, createServer, type Socket } from 'node:net'
import { createInterface } from 'node:readline'

export type HostOrder =
  | { what: 'serve'; tcp: number[]; udp: number[] }
  /** Answers `open` or `closed`; `from` = the address that it binds. */
  | {
      what: 'probe'
      address: string
      port: number
      protocol: 'tcp' | 'udp'
      timeoutMs: number
      from?: string
    }
  /** Opens a connection that stays; answers `open` or `closed`. */
  | { what: 'hold'; name: string; address: string; port: number; from?: string }
  /** Says a word over it; answers `heard`, `ended` when the connection does, or `silent`. */
  | { what: 'say'; name: string; timeoutMs: number }
  /** Opens `count` connections one after the other; answers how many milliseconds it took. */
  | { what: 'count'; address: string; port: number; count: number }
  /** Sends one datagram to each port from 1 to `ports`, all from one socket. */
  | { what: 'flood'; address: string; ports: number }

const held = new Map<string, Socket>()

if (import.meta.main)
  for await (const line of createInterface({ input: process.stdin })) {
    const { number, order } = JSON.parse(line) as { number: number; order: HostOrder }
    // Many at once: closed ports take their time.
    void obey(order).then((said) => process.stdout.write(`${JSON.stringify({ number, said })}\n`))
  }

async function obey(order: HostOrder): Promise<string> {
  switch (order.what) {
    case 'serve':
      await Promise.all([...order.tcp.map(serveTcp), ...order.udp.map(serveUdp)])
      return 'done'
    case 'probe':
      return order.protocol === 'tcp' ? probeTcp(order) : probeUdp(order)
    case 'hold': {
      const socket = await open(order.address, order.port, 3_000, order.from)
      if (socket) held.set(order.name, socket)
      return socket ? 'open' : 'closed'
    }
    case 'say':
      return say(held.get(order.name)!, order.timeoutMs)
    case 'count': {
      const startedAt = performance.now()
      for (let done = 0; done < order.count; done++) (await open(order.address, order.port, 5_000))?.destroy()
      return String(performance.now() - startedAt)
    }
    case 'flood':
      await flood(order.address, order.ports)
      return 'done'
  }
}

function serveTcp(port: number): Promise<void> {
  return new Promise<void>((resolve) =>
    createServer((socket) => {
      socket.on('error', () => undefined)
      socket.pipe(socket)
    }).listen(port, '0.0.0.0', resolve),
  )
}

function serveUdp(port: number): Promise<void> {
  return new Promise<void>((resolve) => {
    const socket = createSocket('udp4')
    socket.on('message', (text, from) => socket.send(text, from.port, from.address))
    socket.bind(port, '0.0.0.0', resolve)
  })
}

function open(address: string, port: number, timeoutMs: number, from?: string): Promise<Socket | null> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, ...(from ? { localAddress: from } : {}) })
    const timer = setTimeout(() => {
      socket.destroy()
      resolve(null)
    }, timeoutMs)
    socket.on('connect', () => {
      clearTimeout(timer)
      resolve(socket)
    })
    socket.on('error', () => {
      clearTimeout(timer)
      resolve(null)
    })
  })
}

type Probe = Extract<HostOrder, { what: 'probe' }>

async function probeTcp({ address, port, timeoutMs, from }: Probe): Promise<string> {
  const socket = await open(address, port, timeoutMs, from)
  socket?.destroy()
  return socket ? 'open' : 'closed'
}

function probeUdp({ address, port, timeoutMs, from }: Probe): Promise<string> {
  return new Promise<string>((resolve) => {
    const socket = createSocket('udp4')
    const end = (said: string) => {
      clearTimeout(timer)
      socket.close()
      resolve(said)
    }
    const timer = setTimeout(() => end('closed'), timeoutMs)
    socket.on('message', () => end('open'))
    socket.on('error', () => undefined)
    socket.bind(from ? { address: from } : {}, () => socket.send('?', port, address))
  })
}

async function flood(address: string, ports: number): Promise<void> {
  const socket = createSocket('udp4')
  // A port that nobody listens at may say so.
  socket.on('error', () => undefined)
  const send = (port: number) =>
    new Promise<void>((resolve) => socket.send('?', port, address, () => resolve()))
  for (let port = 1; port <= ports; port++) await send(port)
  socket.close()
}

function say(socket: Socket, timeoutMs: number): Promise<string> {
  return new Promise<string>((resolve) => {
    const end = (said: string) => {
      clearTimeout(timer)
      socket.removeAllListeners('data')
      resolve(said)
    }
    const timer = setTimeout(() => end('silent'), timeoutMs)
    socket.once('data', () => end('heard'))
    socket.once('close', () => end('ended'))
    socket.write('!')
  })
}
