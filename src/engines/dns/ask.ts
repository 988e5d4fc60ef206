// Asks a name server a question by UDP (RFC 1035 §4), once.
import { createSocket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import { type Answer, decode, type DnskeyData, encode } from 'dns-packet'
import { type Clock, withTimeout } from '../../kernel/clock.ts'
import { EngineError, reasonOf } from '../../kernel/errors.ts'
import type { Answered, RecordType } from './engine.ts'

const ANSWER_MS = 2_000
/** Each question has a socket of its own, which hears nobody else. */
const ID = 7

/** @throws EngineError when nobody answers, or rubbish. */
export async function askServer(
  clock: Clock,
  { address, port }: { address: string; port: number },
  name: string,
  type: RecordType | 'DNSKEY',
): Promise<Answered> {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
  try {
    const answered = new Promise<Buffer>((resolve, reject) => {
      socket.on('error', reject)
      socket.on('message', resolve)
      socket.connect(port, address, () =>
        socket.send(encode({ type: 'query', id: ID, questions: [{ type, name }] })),
      )
    })
    return answeredIn(await withTimeout(clock, ANSWER_MS, 'its answer', () => answered))
  } catch (error) {
    throw new EngineError(`the name server does not answer: ${reasonOf(error)}`)
  } finally {
    socket.close()
  }
}

/** An answer as it came over the wire. */
export function answeredIn(message: Buffer): Answered {
  const {
    rcode,
    answers = [],
    authorities = [],
  } = decode(message) as ReturnType<typeof decode> & { rcode: Answered['rcode'] }
  return {
    rcode,
    answers: answers.map(textOf),
    authority: [...new Set(authorities.map((one) => one.type as string))],
  }
}

/** `www.example.com A 192.0.2.1`. */
export function textOf(answer: Answer): string {
  const { name, type } = answer
  const data = 'data' in answer ? answer.data : ''
  if (answer.type === 'DNSKEY') return `${name} ${type} ${dnskeyText(answer.data)}`
  const target = typeof data === 'string' && type === 'CNAME' ? `${data}.` : data
  return `${name} ${type} ${typeof target === 'string' ? target : JSON.stringify(target)}`
}

const PROTOCOL = 3
const dnskeyText = ({ flags, algorithm, key }: DnskeyData) =>
  `${flags} ${PROTOCOL} ${algorithm} ${key.toString('base64')}`
