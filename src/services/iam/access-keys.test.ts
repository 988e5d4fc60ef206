// Access keys: which are valid when, who may end them, how their last use is kept.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { lanesMigration } from '../../control/lanes.ts'
import { makeWorkflows, workflowsMigration } from '../../control/workflows.ts'
import { makeIds } from '../../kernel/ids.ts'
import { makeLog } from '../../kernel/log.ts'
import { seededRandom } from '../../kernel/random.ts'
import { openStore } from '../../store/store.ts'
import type { Cloud } from '../cloud.ts'
import { systemContext } from '../service.ts'
import { makeIamService } from './service.ts'
import { iamMigrations } from './store.ts'

const account = '000000000000'
const FIRST = { accessKeyId: 'PBLNFIRSTFIRSTFIRST0', secretAccessKey: 'first' }
const context = systemContext(account, 'us-west-2', 'request')

function made() {
  const clock = {
    at: Date.UTC(2026, 10, 1),
    now: () => clock.at,
    monotonic: () => clock.at,
    sleep: () => assert.fail('nothing sleeps'),
  }
  const random = seededRandom(1)
  const ids = makeIds(random)
  const lines: string[] = []
  const log = makeLog(clock, (line) => void lines.push(line))
  const store = openStore(':memory:', [lanesMigration, workflowsMigration, ...iamMigrations])
  const writes: string[] = []
  store.onCommit((tables) => void writes.push(...tables))
  const workflows = makeWorkflows({ clock, log, store, newId: () => ids.uuid() }, () => [])
  const { operations, internal, reconcilers } = makeIamService({
    ...{
      store,
      clock,
      ids,
      random,
      log,
      workflows,
      cloud: {} as Cloud,
      account,
      region: 'us-west-2',
      domain: '',
    },
    makeLanes: () => assert.fail('iam has no lanes'),
  })
  internal.adopt(FIRST)
  const create = () => {
    const { AccessKey } = operations.createAccessKey(context, {})
    return { accessKeyId: AccessKey?.AccessKeyId ?? '', secretAccessKey: AccessKey?.SecretAccessKey ?? '' }
  }
  const listed = () =>
    (operations.listAccessKeys(context, {}).AccessKeyMetadata ?? []).map(
      ({ AccessKeyId, Status }): [string, string] => [AccessKeyId ?? '', Status ?? ''],
    )
  const pass = () => reconcilers[0]!.reconcile(new AbortController().signal)
  return { iam: operations, keys: internal, clock, writes, lines, create, listed, pass }
}

const refused = (code: string, httpStatus: number, message: RegExp) => (error: unknown) =>
  error instanceof Error &&
  error.name === code &&
  'httpStatus' in error &&
  error.httpStatus === httpStatus &&
  message.test(error.message)

describe('access keys', () => {
  it('take the key of the home once, and never again', () => {
    const { keys, create, iam } = made()
    assert.deepEqual(keys.valid(), [FIRST])
    create()
    iam.deleteAccessKey(context, { AccessKeyId: FIRST.accessKeyId })
    keys.adopt(FIRST)
    assert.ok(!keys.valid().some(({ accessKeyId }) => accessKeyId === FIRST.accessKeyId))
  })
  it('are created with a secret that no other answer has, and work at once', () => {
    const { keys, create, iam, listed, lines } = made()
    const second = create()
    assert.match(second.accessKeyId, /^PBLN[A-Z0-9]{16}$/)
    assert.match(second.secretAccessKey, /^\w{40}$/)
    assert.deepEqual(keys.valid()[1], second)
    assert.deepEqual(new Map(listed()), new Map([FIRST, second].map((key) => [key.accessKeyId, 'Active'])))
    const answers = JSON.stringify([
      iam.listAccessKeys(context, {}),
      iam.getAccessKeyLastUsed(context, { AccessKeyId: second.accessKeyId }),
      keys.describe(),
      lines,
    ])
    assert.ok(!answers.includes(second.secretAccessKey))
  })
  it('are at most ten', () => {
    const { create } = made()
    for (let count = 1; count < 10; count++) create()
    assert.throws(create, refused('LimitExceeded', 409, /^Cannot exceed quota for AccessKeysPerUser: 10$/))
  })
  it('are not valid while they are inactive', () => {
    const { iam, keys, create, listed } = made()
    const { accessKeyId: AccessKeyId } = create()
    iam.updateAccessKey(context, { AccessKeyId, Status: 'Inactive' })
    assert.deepEqual(keys.valid(), [FIRST])
    assert.equal(new Map(listed()).get(AccessKeyId), 'Inactive')
    iam.updateAccessKey(context, { AccessKeyId, Status: 'Active' })
    assert.equal(keys.valid().length, 2)
  })
  it('work until the last moment of their grace, and are taken away after it', async () => {
    const { keys, clock, create, listed, pass, lines } = made()
    const second = create()
    keys.expire(FIRST.accessKeyId, 3600)
    clock.at += 3_599_999
    assert.deepEqual(keys.valid(), [FIRST, second])
    await pass()
    clock.at += 1
    assert.deepEqual(keys.valid(), [second])
    assert.equal(new Map(listed()).get(FIRST.accessKeyId), 'Inactive')
    await pass()
    assert.deepEqual(listed(), [[second.accessKeyId, 'Active']])
    assert.match(lines.at(-1)!, /an access key has ended.*PBLNFIRST/)
  })
  it('keep one that is active and stays', () => {
    const { iam, keys, create } = made()
    const AccessKeyId = FIRST.accessKeyId
    const last = /last active access key/
    const holds = () => {
      assert.throws(() => iam.deleteAccessKey(context, { AccessKeyId }), refused('DeleteConflict', 409, last))
      assert.throws(
        () => iam.updateAccessKey(context, { AccessKeyId, Status: 'Inactive' }),
        refused('InvalidInput', 400, last),
      )
      assert.throws(() => keys.expire(AccessKeyId, 60), refused('InvalidInput', 400, last))
    }
    holds()
    const ending = create()
    keys.expire(ending.accessKeyId, 3600)
    holds()
    const off = create()
    iam.updateAccessKey(context, { AccessKeyId: off.accessKeyId, Status: 'Inactive' })
    holds()
    iam.updateAccessKey(context, { AccessKeyId: off.accessKeyId, Status: 'Active' })
    iam.deleteAccessKey(context, { AccessKeyId })
  })
  it('tell their last use, written at most once a minute', () => {
    const { iam, keys, clock, writes } = made()
    const AccessKeyId = FIRST.accessKeyId
    const lastUsed = () => iam.getAccessKeyLastUsed(context, { AccessKeyId }).AccessKeyLastUsed
    assert.deepEqual(lastUsed(), { LastUsedDate: undefined, ServiceName: 'N/A', Region: 'N/A' })
    const use = (service: string) => keys.used({ accessKeyId: AccessKeyId, service, region: 'us-west-2' })
    writes.length = 0
    use('s3')
    const at = new Date(clock.at)
    for (let times = 0; times < 100; times++) use('ec2')
    clock.at += 59_999
    use('ec2')
    assert.deepEqual(lastUsed(), { LastUsedDate: at, ServiceName: 's3', Region: 'us-west-2' })
    assert.equal(writes.length, 1)
    clock.at += 1
    use('ec2')
    assert.equal(lastUsed()?.ServiceName, 'ec2')
    assert.equal(keys.describe()[0]?.lastUsed?.service, 'ec2')
    keys.used({ accessKeyId: 'PBLNNOSUCHKEY0000000', service: 's3', region: '' })
    assert.equal(writes.length, 2)
  })
  it("sign URLs with the caller's key while that is valid, else with one that stays", () => {
    const { iam, keys, create } = made()
    const second = create()
    assert.deepEqual(keys.signingFor(second.accessKeyId), second)
    assert.deepEqual(keys.signingFor('polebean'), FIRST)
    keys.expire(FIRST.accessKeyId, 60)
    assert.deepEqual(keys.signingFor('polebean'), second)
    assert.deepEqual(keys.signingFor(FIRST.accessKeyId), FIRST)
    iam.updateAccessKey(context, { AccessKeyId: FIRST.accessKeyId, Status: 'Inactive' })
    assert.deepEqual(keys.signingFor(FIRST.accessKeyId), second)
  })

  describe('refuse', () => {
    const { iam, keys, create } = made()
    const { accessKeyId: AccessKeyId } = create()
    const unknown = 'PBLNNOSUCHKEY0000000'
    const none = refused(
      'NoSuchEntity',
      404,
      /^The Access Key with id PBLNNOSUCHKEY0000000 cannot be found\.$/,
    )
    it('a key that is not there', () => {
      assert.throws(() => iam.deleteAccessKey(context, { AccessKeyId: unknown }), none)
      assert.throws(() => iam.updateAccessKey(context, { AccessKeyId: unknown, Status: 'Active' }), none)
      assert.throws(() => iam.getAccessKeyLastUsed(context, { AccessKeyId: unknown }), none)
      assert.throws(() => keys.expire(unknown, 60), none)
    })
    it('users, since there are none', () => {
      const UserName = 'alice'
      const noUser = refused('NoSuchEntity', 404, /^The user with name alice cannot be found\.$/)
      assert.throws(() => iam.createAccessKey(context, { UserName }), noUser)
      assert.throws(() => iam.listAccessKeys(context, { UserName }), noUser)
      assert.throws(() => iam.deleteAccessKey(context, { UserName, AccessKeyId }), noUser)
      assert.throws(() => iam.updateAccessKey(context, { UserName, AccessKeyId, Status: 'Active' }), noUser)
    })
    for (const id of ['', 'short', "'; drop table iam_access_key; --", 'x'.repeat(129), undefined])
      it(`the id ${JSON.stringify(id)?.slice(0, 40)}`, () => {
        const wrong = refused('ValidationError', 400, /at 'accessKeyId' failed to satisfy constraint/)
        assert.throws(() => iam.deleteAccessKey(context, { AccessKeyId: id }), wrong)
      })
    it('another status', () => {
      for (const Status of [undefined, 'active', 'Expired'] as ('Active' | undefined)[])
        assert.throws(
          () => iam.updateAccessKey(context, { AccessKeyId, Status }),
          refused('ValidationError', 400, /enum value set: \[Active, Inactive\]/),
        )
    })
    for (const grace of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 31 * 86_400])
      it(`a grace of ${grace} seconds`, () =>
        assert.throws(() => keys.expire(AccessKeyId, grace), refused('InvalidInput', 400, /grace/)))
  })
})
