// A packet, run by `doctor` inside a namespace of the home: `dns ADDRESS` asks a resolver for a name that it knows itself,
// `tcp ADDRESS PORT FROM…` opens a connection, from whichever of our addresses is let in. Prints what came of it; status 1 when nothing did.
import { createSocket } from 'node:dgram'
import { connect } from 'node:net'

const TIMEOUT_MS = 2_000
const [, , kind = '', address = '', port = '', ...from] = process.argv
setTimeout(() => end(1, `no answer within ${TIMEOUT_MS / 1000} s`), TIMEOUT_MS)

if (kind === 'dns') {
  const socket = createSocket('udp4')
  socket.on('error', (error) => end(1, error.message))
  socket.on('message', (answer) => {
    // Refused, failed and the like are codes 2 to 5; "no such name" is an answer.
    const code = (answer[3] ?? 0) & 15
    end(code === 0 || code === 3 ? 0 : 1, `answers (code ${code})`)
  })
  socket.send(Buffer.from(question()), 53, address)
} else {
  let left = from.length
  for (const localAddress of from) {
    const socket = connect({ host: address, port: Number(port), localAddress })
    socket.on('error', (error) => --left === 0 && end(1, error.message))
    socket.on('connect', () => end(0, 'open'))
  }
}

/** Id 1, recursion desired, one question: polebean.localhost. A IN */
function question(): number[] {
  const name = ['polebean', 'localhost'].flatMap((label) => [label.length, ...Buffer.from(label)])
  return [0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...name, 0, 0, 1, 0, 1]
}

function end(status: number, said: string): never {
  process.stdout.write(`${said}\n`)
  process.exit(status)
}
