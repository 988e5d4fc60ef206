// `keys`, run as a user runs it, and what every service answers to a key that does not work any more.
import assert from 'node:assert/strict'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { signRequest, type Credentials } from '../../gateway/sigv4.ts'
import { makeCliWorld, type CliWorld } from '../testing/cli-world.ts'

let world: CliWorld
before(async () => (world = await makeCliWorld()))
after(async () => assert.deepEqual(await world.end(), []))

const json = async (args: string[]) => JSON.parse((await world.polebean([...args, '--json'])).stdout)
const own = (): Credentials => JSON.parse(readFileSync(join(world.dir, 'credentials.json'), 'utf8'))
type Listed = { id: string; status: string; expiresAt: string | null; own: boolean; lastUsed: unknown }
const listed = async (id: string): Promise<Listed | undefined> =>
  (await json(['keys', 'list'])).find((key: Listed) => key.id === id)

/** What a GET of `/` answers when it is signed with the key for the service. */
async function ask(service: string, credentials: Credentials): Promise<[number, string | undefined]> {
  const host = `127.0.0.1:${world.ports.api}`
  const path = service === 's3' ? '/' : '/?Action=DescribeRegions'
  const payloadHash = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
  const headers = signRequest({
    ...{ method: 'GET', path, headers: { host }, payloadHash, service, region: 'us-west-2', credentials },
    at: Date.now(),
  })
  const answer = await fetch(`http://${host}${path}`, { headers })
  return [answer.status, /<Code>(\w+)</.exec(await answer.text())?.[1]]
}
const assertEnded = async (key: Credentials) =>
  assert.deepEqual(await Promise.all(['s3', 'ec2', 'elasticbeanstalk'].map((name) => ask(name, key))), [
    [403, 'InvalidAccessKeyId'],
    [401, 'AuthFailure'],
    [403, 'InvalidClientTokenId'],
  ])

describe('keys', () => {
  it('create shows a secret once, and the key signs', async () => {
    const { stdout, stderr } = await world.polebean(['keys', 'create'])
    const [, accessKeyId = '', secretAccessKey = ''] =
      /^AWS_ACCESS_KEY_ID=(\w{20})\nAWS_SECRET_ACCESS_KEY=(\w{40})\n$/.exec(stdout) ?? []
    assert.match(stderr, /not shown again/)
    assert.equal((await ask('s3', { accessKeyId, secretAccessKey }))[0], 200)
    const list = await world.polebean(['keys', 'list'])
    assert.ok(!list.stdout.includes(secretAccessKey))
    assert.match(
      list.stdout,
      new RegExp(`^${accessKeyId} +Active +\\S+ \\S+ +- +\\S+ \\S+ s3 us-west-2$`, 'm'),
    )
    assert.match(
      list.stdout,
      /^PBLNTEST.* the command line's$|elasticbeanstalk us-west-2 +the command line's$/m,
    )
  })
  it('revoke ends a key at once, on every service', async () => {
    const key = await json(['keys', 'create'])
    assert.equal((await ask('s3', key))[0], 200)
    assert.deepEqual(await json(['keys', 'revoke', key.accessKeyId]), { revoked: key.accessKeyId })
    await assertEnded(key)
    assert.equal(await listed(key.accessKeyId), undefined)
  })
  it('rotate leaves the old key its grace, and keeps mode and owner of the file', async () => {
    const old = own()
    const [before, now] = [statSync(join(world.dir, 'credentials.json')), Date.now()]
    const { id, old: ended, oldEndsAt } = await json(['keys', 'rotate', '--grace', '1h'])
    assert.deepEqual([id, ended], [own().accessKeyId, old.accessKeyId])
    assert.ok(Math.abs(Date.parse(oldEndsAt) - now - 3_600_000) < 60_000)
    const { mode, uid, ino } = statSync(join(world.dir, 'credentials.json'))
    assert.deepEqual([mode, uid, ino], [before.mode, before.uid, before.ino])
    for (const key of [old, own()]) assert.equal((await ask('s3', key))[0], 200)
    assert.equal((await listed(old.accessKeyId))?.expiresAt, oldEndsAt)
    assert.ok((await listed(id))?.own)
  })
  it('rotate --grace 0 leaves none, and the profile gets the new key', async () => {
    await world.polebean(['env', '--profile'])
    const old = own()
    const { stderr } = await world.polebean(['keys', 'rotate', '--grace', '0'])
    assert.match(stderr, /The old key \w+ has ended\. .* The profile polebean has the new one\./)
    await assertEnded(old)
    const profile = readFileSync(join(world.base, '.aws/credentials'), 'utf8')
    assert.ok(profile.includes(`aws_access_key_id = ${own().accessKeyId}\n`), profile)
    await world.polebean(['list'])
  })
  it('survives a restart of the server, whatever the file says', async () => {
    const before = await json(['keys', 'list'])
    await world.stop()
    await world.restart()
    const ids = (keys: Listed[]) => keys.map(({ id }) => id)
    assert.deepEqual(ids(await json(['keys', 'list'])), ids(before))
  })

  describe('refuses', () => {
    const fails = async (args: string[], status: number, expected: RegExp) => {
      const { stdout, stderr } = await world.polebean(args, { status })
      assert.equal(stdout, '')
      assert.match(stderr, expected)
    }
    it('to end its own key', () =>
      fails(['keys', 'revoke', own().accessKeyId], 1, /is the key that the command line signs with/))
    it('a key that is not there', async () => {
      for (const id of ['PBLNNOSUCHKEY0000000', 'x', "'--"])
        await fails(['keys', 'revoke', id], 2, /there is no access key .*; see: polebean keys list/)
    })
    it('a grace that is no time', async () => {
      const before = own()
      for (const grace of ['', '1', '-1h', '1y', '31d', '1h30m', 'soon'])
        await fails(['keys', 'rotate', `--grace=${grace}`], 2, /--grace/)
      assert.deepEqual(own(), before)
    })
    it('unknown and missing words', async () => {
      await fails(['keys', 'steal'], 2, /unknown command 'steal'/)
      await fails(['keys', 'revoke'], 2, /missing required argument/)
    })
    it('with a key that is not valid any more', async () => {
      const good = own()
      writeFileSync(join(world.dir, 'credentials.json'), JSON.stringify({ ...good, secretAccessKey: 'x' }))
      await fails(['keys', 'rotate'], 4, /signature we calculated does not match/)
      const gone = { ...good, accessKeyId: 'PBLNNOSUCHKEY0000000' }
      writeFileSync(join(world.dir, 'credentials.json'), JSON.stringify(gone))
      for (const args of [['list'], ['keys', 'list'], ['up', world.folder('shop-app')]])
        await fails(
          args,
          4,
          /the access key in \S+credentials\.json is not valid any more; put another one there/,
        )
      writeFileSync(join(world.dir, 'credentials.json'), JSON.stringify(good))
    })
    it('more than ten', async () => {
      const { length } = await json(['keys', 'list'])
      for (let count = length; count < 10; count++) await world.polebean(['keys', 'create'])
      await fails(['keys', 'create'], 4, /Cannot exceed quota for AccessKeysPerUser: 10/)
    })
  })
})
