import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { checkClients, obeys } from './clients.ts'

const dir = mkdtempSync(join(tmpdir(), 'clients-'))
after(() => rmSync(dir, { recursive: true }))
const script = (name: string, text: string) => writeFileSync(join(dir, name), text, { mode: 0o755 })
const check = async (name: string) =>
  (await checkClients({ PATH: `${dir}:/usr/bin:/bin`, HOME: dir })).find((one) => one.name === name)!

describe('a client of AWS', () => {
  it('obeys AWS_ENDPOINT_URL from a version on', () => {
    for (const said of [
      'aws-cli/1.29.0 Python/3.11 botocore/1.31.0',
      'aws-cli/2.13.0 Python/3.11',
      'aws-cli/2.31.1 Python/3.13 botocore/2.0.0',
      'boto3 1.40.0 botocore/1.40.0',
    ])
      assert.equal(obeys(said), true, said)
    for (const said of ['aws-cli/1.22.34 Python/3.10 botocore/1.23.34', 'aws-cli/2.12.7 botocore/2.4.5', ''])
      assert.equal(obeys(said), false, said)
  })

  it('that is too old is named, and one that is not there is no failure', async () => {
    script('aws', '#!/bin/sh\necho aws-cli/1.22.34 Python/3.10 botocore/1.23.34\n')
    const aws = await check('aws')
    assert.equal(aws.ok, false)
    assert.match(aws.saw, /botocore\/1\.23\.34 ignores AWS_ENDPOINT_URL: it would talk to the real AWS/)
    assert.deepEqual(await check('eb'), {
      name: 'eb',
      ok: true,
      saw: 'not installed (pip install awsebcli)',
    })
  })

  it('eb is judged by the botocore of its own Python', async () => {
    script('python-of-eb', '#!/bin/sh\necho botocore/1.23.34\n')
    script('eb', `#!${dir}/python-of-eb \n`)
    const eb = await check('eb')
    assert.deepEqual([eb.ok, /botocore\/1\.23\.34 ignores/.test(eb.saw)], [false, true])
  })
})
