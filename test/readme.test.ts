// Runs the commands of the README as they stand there, in a home of its own.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { clientPrograms } from '../tools/test/clients.mjs'
import { makeTestHome, root, runProgram } from './support/home.ts'

describe('README.md', () => {
  const home = makeTestHome()
  after(async () => assert.deepEqual(await home.remove(), []))

  it('leads from nothing to an answer of the application', async () => {
    const text = readFileSync(join(root, 'README.md'), 'utf8')
    const block = /<!-- executed by test\/readme\.test\.ts -->\n```sh\n([\s\S]*?)```/.exec(text)?.[1]
    assert.ok(block, 'the README has a block that is executed')
    const { stdout } = await home.polebean(['start', '--json'])
    const { id, ports } = home.settings()
    assert.deepEqual(JSON.parse(stdout), { home: home.dir, id, endpoint: `http://127.0.0.1:${ports.api}` })
    const env = { POLEBEAN_HOME: home.dir, PATH: `${clientPrograms()}:${process.env.PATH}`, AWS_PAGER: '' }
    const ran = await runProgram(['bash', '-euo', 'pipefail', '-c', block], { cwd: root, env })
    assert.equal(ran.status, 0, `${ran.stderr}\n${ran.stdout}`)
    assert.match(ran.stdout, /<title>Guestbook<\/title>/)
    assert.match(ran.stdout, /hello/)
  })
})
