// What an upgrade fetches: only by https, since it is run as root, and only from the very place that was named.
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { reasonOf } from '../../kernel/errors.ts'
import { EXIT, Failure } from '../failure.ts'

const DOWNLOAD_MS = 30 * 60_000
const TEXT_MS = 30_000
const BYTES_MAX = 1 << 30
const TEXT_BYTES_MAX = 1_024

/** Fetches a release's file and sum into `folder`; answers the file. */
export async function downloadRelease(source: string, folder: string): Promise<string> {
  const file = join(folder, 'download.tar.gz')
  const url = urlOf(source)
  const sum = new URL(url)
  sum.pathname += '.sha256'
  for (const [from, to] of [
    [sum, `${file}.sha256`],
    [url, file],
  ] as const)
    await pipeline(bytesOf(from, DOWNLOAD_MS, BYTES_MAX), createWriteStream(to))
  return file
}

/** A short text. */
export const downloadText = async (source: string): Promise<string> =>
  text(bytesOf(urlOf(source), TEXT_MS, TEXT_BYTES_MAX))

function urlOf(source: string): URL {
  const url = new URL(source)
  if (url.protocol !== 'https:')
    throw new Failure(`${source}: a release is fetched over https only`, EXIT.usage)
  return url
}

/** Throws a sentence when it cannot be had whole. */
async function* bytesOf(url: URL, timeoutMs: number, bytesMax: number): AsyncGenerator<Uint8Array> {
  try {
    const reply = await fetch(url, { signal: AbortSignal.timeout(timeoutMs), redirect: 'error' })
    if (!reply.ok || !reply.body) throw new Failure(`HTTP ${reply.status}`)
    let bytes = 0
    for await (const chunk of reply.body) {
      bytes += chunk.length
      if (bytes > bytesMax) throw new Failure(`it has more than ${bytesMax} bytes`)
      yield chunk
    }
  } catch (error) {
    const cause = error instanceof Error ? (error.cause ?? error) : error
    throw new Failure(`${url.href} cannot be fetched: ${reasonOf(cause)}`)
  }
}
