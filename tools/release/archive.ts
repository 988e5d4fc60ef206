// A folder as .tar.gz whose bytes depend on nothing but its files: names in order, no owners, one time, no umask
// (reproducible-builds.org/docs/archives).
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createWriteStream, writeFileSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'

type Archive = {
  dir: string
  file: string
  /** Of every file in it. */
  epochSeconds: number
  /** 0 (as it is) to 9 (slowest, smallest). */
  level: number
}

/** Writes `file` and `file.sha256` (as sha256sum does); answers the sum. */
export async function packArchive({ dir, file, epochSeconds, level }: Archive): Promise<string> {
  const tar = spawn(
    'tar',
    [
      '--create',
      '--sort=name',
      '--format=ustar',
      '--owner=0',
      '--group=0',
      '--numeric-owner',
      `--mtime=@${epochSeconds}`,
      '--mode=u=rwX,go=rX',
      `--directory=${dirname(dir)}`,
      basename(dir),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'], env: { PATH: process.env.PATH, LC_ALL: 'C' } },
  )
  const ended = new Promise<void>((resolve, reject) => {
    tar.on('error', reject)
    tar.on('close', (status) => (status === 0 ? resolve() : reject(new Error(`tar: exit ${status}`))))
  })
  const hash = createHash('sha256')
  const packed = pipeline(
    tar.stdout,
    createGzip({ level }),
    async function* (chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        hash.update(chunk)
        yield chunk
      }
    },
    createWriteStream(file),
  )
  await Promise.all([packed, ended])
  const sum = hash.digest('hex')
  writeFileSync(`${file}.sha256`, `${sum}  ${basename(file)}\n`)
  return sum
}
