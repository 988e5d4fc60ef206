// The server's side of a session: frames ⇄ the streams of a program inside. When either side ends, so does the other.
import { once } from 'node:events'
import type { Duplex, Readable } from 'node:stream'
import type { Session } from '../engines/compute/engine.ts'
import type { Clock } from '../kernel/clock.ts'
import { reasonOf } from '../kernel/errors.ts'
import { frame, readFrames, readStart, type Frame, type Start } from './frames.ts'

/** So soon it is seen that a client is gone which had said nothing. */
const PING_MS = 5_000
const START_WITHIN_MS = 10_000

type Deps = {
  clock: Clock
  /** Aborted when the server goes. */
  signal: AbortSignal
  /** Begins what the client asked for. Rejects with what is in the way. */
  open(start: Start): Promise<Session>
  /** What the client is told when its instance has ended under it. */
  cutText: string
}

/** Resolves when all is over and nothing runs any more, with how it ended; never rejects. */
export async function serveSession(stream: Duplex, deps: Deps): Promise<string> {
  const over = new AbortController()
  stream.on('close', () => over.abort())
  const finish = (last: Buffer) => stream.destroyed || stream.end(last)
  let session: Session | undefined
  try {
    const frames = readFrames(stream)
    void deps.clock.sleep(START_WITHIN_MS, over.signal).then(
      () => session ?? stream.destroy(),
      () => undefined,
    )
    const first = await frames.next()
    if (first.done) return 'the client went away'
    session = await deps.open(readStart(first.value))
    void ping(deps.clock, stream, over.signal)
    const goes = new Promise<'server'>((resolve) => {
      if (deps.signal.aborted) resolve('server')
      deps.signal.addEventListener('abort', () => resolve('server'), { signal: over.signal })
    })
    const gone = new Promise<'client'>((resolve) => {
      if (stream.destroyed) resolve('client')
      stream.on('close', () => resolve('client'))
    })
    void hear(frames, session, over.signal).catch(() => stream.destroy())
    const said = Promise.all([say(session.stdout, 'output', stream), say(session.stderr, 'error', stream)])
    said.catch(() => stream.destroy())
    const ended = await Promise.race([session.ended, goes, gone])
    if (ended === 'client') return 'the client went away'
    if (ended === 'server') {
      finish(frame('over', 'Polebean is being stopped or started again, and the session ended with it'))
      return 'the server went'
    }
    await Promise.race([said, gone])
    const status = Buffer.alloc(4)
    status.writeUInt32BE(ended.exit)
    finish(ended.cut ? frame('over', deps.cutText) : frame('exit', status))
    return ended.cut ? 'its instance ended' : `exit status ${ended.exit}`
  } catch (error) {
    finish(frame('over', reasonOf(error)))
    return reasonOf(error)
  } finally {
    await session?.hangUp()
  }
}

async function hear(frames: AsyncIterable<Frame>, session: Session, signal: AbortSignal): Promise<void> {
  const { stdin } = session
  for await (const { kind, bytes } of frames)
    if (kind === 'input') {
      if (!stdin.destroyed && !stdin.write(bytes))
        await Promise.race([once(stdin, 'drain', { signal }), session.ended])
    } else if (kind === 'endOfInput') stdin.end()
    else if (kind === 'resize' && bytes.length === 4)
      session.resize(bytes.readUInt16BE(0), bytes.readUInt16BE(2))
}

async function say(from: Readable, kind: 'output' | 'error', stream: Duplex): Promise<void> {
  for await (const chunk of from as AsyncIterable<Buffer>) {
    // Read to its end all the same: until then the program may wait to be read.
    if (stream.destroyed || stream.writableEnded || stream.write(frame(kind, chunk))) continue
    if (!stream.destroyed) await Promise.race([once(stream, 'drain'), once(stream, 'close')])
  }
}

async function ping(clock: Clock, stream: Duplex, signal: AbortSignal): Promise<void> {
  while (!stream.destroyed) {
    await clock.sleep(PING_MS, signal).catch(() => undefined)
    if (!stream.destroyed && !stream.writableEnded) stream.write(frame('ping'))
    if (signal.aborted) return
  }
}
