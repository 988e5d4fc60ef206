// Runs every command of the README as it stands there, in a home of its own.
import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { clientPrograms } from '../tools/test/clients.mjs'
import { makeTestHome, root, runProgram } from './support/home.ts'

const text = readFileSync(join(root, 'README.md'), 'utf8')
const blocks = [...text.matchAll(/<!-- executed by test\/readme\.test\.ts -->\n```sh\n([\s\S]*?)```/g)].map(
  ([, block = '']) => block,
)

describe('README.md', { concurrency: 1 }, () => {
  const home = makeTestHome()
  // `~/my-flask-app` of the user who reads it.
  const user = mkdtempSync(join(tmpdir(), 'pbe-reader-'))
  cpSync(join(root, 'samples/flask-guestbook'), join(user, 'my-flask-app'), { recursive: true })
  after(async () => {
    assert.deepEqual(await home.remove(), [])
    rmSync(user, { recursive: true, force: true })
  })
  const env = {
    POLEBEAN_HOME: home.dir,
    HOME: user,
    PATH: `${clientPrograms()}:${process.env.PATH}`,
    AWS_PAGER: '',
  }
  const bash = async (block: string) => {
    const argv = ['bash', '-euo', 'pipefail', '-c', block]
    const ran = await runProgram(argv, { cwd: root, env, timeoutMs: 280_000 })
    assert.equal(ran.status, 0, `${block}\n${ran.stderr}\n${ran.stdout}`)
    return ran.stdout
  }

  it('has no block of commands that is not executed', () => {
    assert.equal([...text.matchAll(/^```/gm)].length, 2 * blocks.length)
    const prose = text.replaceAll(/^```[\s\S]*?^```/gm, '')
    assert.deepEqual(prose.match(/^ {4}\S.*/gm) ?? [], [])
  })

  it('leads from nothing to the sample and to an own folder', async () => {
    const stdout = await bash(blocks[0] ?? '')
    const { ports } = home.settings()
    const urls = stdout.match(/^http:\/\/\S+$/gm) ?? []
    assert.deepEqual(
      urls.map((url) => new URL(url).hostname.split('.')[0]),
      ['flask-guestbook', 'my-flask-app'],
    )
    for (const url of urls) {
      assert.equal(Number(new URL(url).port || 80), ports.http)
      assert.match((await home.get(new URL(url).hostname)).body, /<title>Guestbook<\/title>/)
    }
    assert.equal(stdout.trimEnd().split('\n').at(-1), urls.at(-1))
  })

  it('leads through the AWS CLI to an answer of the application', async () => {
    const stdout = await bash(blocks.slice(1).join('\n'))
    assert.match(stdout, /<title>Guestbook<\/title>/)
    assert.match(stdout, /hello/)
  })
})
