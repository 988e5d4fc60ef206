// A resolver's two ends for tests, run inside a namespace: `serve ADDRESS` answers every question with 192.0.2.99,
// `ask ADDRESS NAME` prints the response code of one question, and the address in the answer.
import { createSocket } from 'node:dgram'
import { systemClock } from '../../kernel/clock.ts'

const [, , role = '', address = '', name = ''] = process.argv
const socket = createSocket('udp4')

if (role === 'serve') {
  socket.on('message', (question, from) => socket.send(answerTo(question), from.port, from.address))
  socket.bind(53, address, () => process.stdout.write('ready\n'))
}
if (role === 'ask') {
  socket.send(question(), 53, address)
  socket.on('message', (answer) => {
    const found = answer.readUInt16BE(6) > 0 ? ` ${answer.subarray(-4).join('.')}` : ''
    process.stdout.write(`${(answer[3] ?? 0) & 15}${found}\n`)
    process.exit()
  })
  await systemClock.sleep(1_000)
  process.exit(1)
}

// Id 1, recursion desired, one question: the name's A IN
function question(): Buffer {
  const labels = name.split('.').flatMap((label) => [Buffer.from([label.length]), Buffer.from(label)])
  const [head, end] = ['0001 0100 0001 0000 0000 0000', '00 0001 0001'].map((hex) =>
    Buffer.from(hex.replaceAll(' ', ''), 'hex'),
  ) as [Buffer, Buffer]
  return Buffer.concat([head, ...labels, end])
}

// The question again without further sections, and one answer: its name, A, IN, 60 s, four bytes.
function answerTo(question: Buffer): Buffer {
  const end = question.indexOf(0, 12) + 5
  const head = Buffer.from([question[0] ?? 0, question[1] ?? 0, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0])
  const answer = Buffer.from('c00c 0001 0001 0000003c 0004 c0000263'.replaceAll(' ', ''), 'hex')
  return Buffer.concat([head, question.subarray(12, end), answer])
}
