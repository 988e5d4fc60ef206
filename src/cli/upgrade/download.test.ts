import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { startHttps } from '../testing/https-server.ts'
import { downloadRelease, downloadText } from './download.ts'

describe('a release that is fetched', () => {
  const folder = mkdtempSync(join(tmpdir(), 'polebean-fetch-'))
  const bodies: Record<string, string> = {
    '/a.tar.gz': 'release',
    '/a.tar.gz.sha256': 'sum',
    '/b.tar.gz': 'release',
    '/latest': '1.2.3\n',
    '/long': '1'.repeat(2_000),
  }
  let server: Awaited<ReturnType<typeof startHttps>>
  before(async () => {
    server = await startHttps(({ url = '' }, response) => {
      const body = bodies[url]
      if (url.startsWith('/elsewhere')) response.writeHead(302, { location: '/a.tar.gz' }).end()
      else if (url === '/cut')
        response.writeHead(200, { 'content-length': 9 }).write('1.2', () => response.destroy())
      else response.writeHead(body === undefined ? 404 : 200).end(body)
    })
  })
  after(() => {
    server.close()
    rmSync(folder, { recursive: true })
  })
  const fetched = (path: string) => downloadRelease(`${server.url}${path}`, folder)

  it('is refused from a server that nobody vouches for', async () => {
    await assert.rejects(fetched('/a.tar.gz'), /cannot be fetched: self-signed certificate/)
    server.trust()
  })
  it('comes with its sum', async () => {
    const file = await fetched('/a.tar.gz')
    assert.equal(readFileSync(file, 'utf8'), 'release')
    assert.equal(readFileSync(`${file}.sha256`, 'utf8'), 'sum')
  })
  it('is named by a short text', async () => {
    assert.equal(await downloadText(`${server.url}/latest`), '1.2.3\n')
    await assert.rejects(downloadText(`${server.url}/long`), /long cannot be fetched: it has more than 1024/)
    await assert.rejects(downloadText(`${server.url}/cut`), /cut cannot be fetched: /)
    await assert.rejects(downloadText('http://127.0.0.1:9/latest'), /over https only/)
  })
  it('is refused without one, from where it was moved, and over http', async () => {
    await assert.rejects(fetched('/b.tar.gz'), /b\.tar\.gz\.sha256 cannot be fetched: HTTP 404/)
    await assert.rejects(fetched('/elsewhere.tar.gz'), /cannot be fetched/)
    await assert.rejects(downloadRelease('http://127.0.0.1:9/a.tar.gz', folder), /over https only/)
  })
})
