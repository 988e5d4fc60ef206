import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, describe, it } from 'node:test'
import { parseConfig } from '../../config/parse.ts'
import { startHttps } from '../testing/https-server.ts'
import { findRelease, sourceOf } from './source.ts'

describe('which release an upgrade brings', () => {
  const folder = mkdtempSync(join(tmpdir(), 'polebean-source-'))
  const home = join(folder, 'home')
  const setting = sourceOf(home)
  const source = join(folder, 'releases')
  const file = (version: string) => `polebean-${version}-linux-${process.arch}.tar.gz`
  const configure = (text: string) => writeFileSync(join(home, 'config.yaml'), text)
  const latest = (text: string) => writeFileSync(join(source, 'latest'), text)
  before(() => {
    mkdirSync(home)
    mkdirSync(source)
  })
  beforeEach(() => {
    configure(`releases.source: ${source}\n`)
    latest('1.10.0\n')
  })
  after(() => rmSync(folder, { recursive: true }))

  it('is the one that is named, whatever the settings say', async () => {
    configure('nonsense: 1\n')
    for (const given of ['a.tar.gz', './1.2.3', 'https://host/a.tar.gz'])
      assert.deepEqual(await findRelease(setting, '1.2.0', given), { source: given })
  })
  it('is that of a version, or the newest', async () => {
    assert.deepEqual(await findRelease(setting, '1.2.0', '1.3.0'), { source: join(source, file('1.3.0')) })
    assert.deepEqual(await findRelease(setting, '1.2.0'), { source: join(source, file('1.10.0')) })
  })
  it('is none when the newest runs already, or a newer one', async () => {
    for (const now of ['1.10.0', '2.0.0'])
      assert.deepEqual(await findRelease(setting, now), {
        upToDate: `Polebean is ${now}; ${source} has nothing newer (latest is 1.10.0).`,
      })
  })
  it('is refused by version when it is not newer', async () => {
    await assert.rejects(findRelease(setting, '1.2.0', '1.2.0'), /1\.2\.0 is what runs now/)
    await assert.rejects(findRelease(setting, '1.2.0', '1.1.9'), /1\.1\.9 is older than 1\.2\.0.*--rollback/)
  })
  it('is not known without the setting, nor when latest is missing or something else', async () => {
    configure('')
    await assert.rejects(
      findRelease(setting, '1.2.0'),
      /the newest release lies: .* config set releases\.source/,
    )
    await assert.rejects(findRelease(setting, '1.2.0', '1.3.0'), /where 1\.3\.0 lies: /)
    configure('releases.source: http://host/\n')
    await assert.rejects(
      findRelease(setting, '1.2.0'),
      /config\.yaml:1: releases\.source must be an https URL/,
    )
    configure(`releases.source: ${source}\n`)
    for (const text of ['', 'newest', '1.2', '../1.2.3', '1.2.3 '.repeat(400)]) {
      latest(text)
      await assert.rejects(findRelease(setting, '1.2.0'), /latest names no version/)
    }
    rmSync(join(source, 'latest'))
    await assert.rejects(findRelease(setting, '1.2.0'), /latest cannot be read: ENOENT/)
  })
  it('is asked for at a URL, with and without a slash at its end', async () => {
    const asked: string[] = []
    const server = await startHttps(({ url = '' }, response) =>
      response.end(asked.push(url) ? '1.10.0\n' : ''),
    )
    server.trust()
    try {
      const url = `${server.url}/all`
      for (const given of [url, `${url}/`])
        assert.deepEqual(await findRelease(() => given, '1.2.0'), {
          source: `${url}/${file('1.10.0')}`,
        })
      assert.deepEqual(asked, ['/all/latest', '/all/latest'])
    } finally {
      server.close()
    }
  })
})

describe('releases.source', () => {
  const problems = (value: string) => parseConfig(`releases.source: ${JSON.stringify(value)}`).problems.length
  it('is an https URL or a folder, and nothing else', () => {
    for (const value of ['https://a.example', 'https://a.example:8443/b/c/', '/srv/releases'])
      assert.equal(problems(value), 0, value)
    for (const value of [
      'http://a.example/b',
      'releases',
      '',
      'https://',
      'https://u:p@a.example',
      'https://a.example/?v=1',
      'https://a.example/#b',
      'https://a b',
      'ftp://a.example',
    ])
      assert.equal(problems(value), 1, value)
  })
})
