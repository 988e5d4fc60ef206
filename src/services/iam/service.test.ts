import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { lanesMigration } from '../../control/lanes.ts'
import { makeWorkflows, workflowsMigration } from '../../control/workflows.ts'
import { systemClock } from '../../kernel/clock.ts'
import { makeIds } from '../../kernel/ids.ts'
import { silentLog } from '../../kernel/log.ts'
import { seededRandom } from '../../kernel/random.ts'
import { openStore } from '../../store/store.ts'
import type { Cloud } from '../cloud.ts'
import type { Context } from '../context.ts'
import { makeIamService } from './service.ts'
import { iamMigrations } from './store.ts'

const account = '000000000000'
const context: Context = {
  account,
  region: 'us-west-2',
  requestId: 'request',
  caller: { accessKeyId: 'PBKEY', arn: `arn:aws:iam::${account}:root`, userId: account },
  endpoint: 'http://127.0.0.1:9',
}
const trust = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole' }],
})
const webTier = 'arn:aws:iam::aws:policy/AWSElasticBeanstalkWebTier'
const RoleName = 'aws-elasticbeanstalk-ec2-role'
const InstanceProfileName = RoleName

function made() {
  const [clock, log, random] = [systemClock, silentLog, seededRandom(1)]
  const ids = makeIds(random)
  const store = openStore(':memory:', [lanesMigration, workflowsMigration, ...iamMigrations])
  const workflows = makeWorkflows({ clock, log, store, newId: () => ids.uuid() }, () => [])
  const makeLanes = () => assert.fail('iam has no lanes')
  const cloud = {} as Cloud
  const deps = {
    store,
    clock,
    ids,
    random,
    log,
    cloud,
    workflows,
    makeLanes,
    domain: '',
    region: context.region,
    account,
  }
  const { operations: iam } = makeIamService(deps)
  const role = (name = RoleName) =>
    iam.createRole(context, { RoleName: name, AssumeRolePolicyDocument: trust })
  const profile = (name = InstanceProfileName) =>
    iam.createInstanceProfile(context, { InstanceProfileName: name })
  return { iam, role, profile }
}
const code = (name: string, httpStatus: number, message?: string | RegExp) => (error: unknown) =>
  error instanceof Error &&
  error.name === name &&
  'httpStatus' in error &&
  error.httpStatus === httpStatus &&
  (message === undefined ||
    (typeof message === 'string' ? error.message === message : message.test(error.message)))

describe('iam', () => {
  it('takes what eb create does, and answers 409 to all of it the second time', () => {
    const { iam, role, profile } = made()
    const eb = () => {
      const steps = [
        () => profile(),
        () => role(),
        () => iam.attachRolePolicy(context, { RoleName, PolicyArn: webTier }),
        () => iam.addRoleToInstanceProfile(context, { RoleName, InstanceProfileName }),
      ]
      return steps.map((step) => {
        try {
          step()
          return 200
        } catch (error) {
          return error instanceof Error && 'httpStatus' in error ? [error.name, error.httpStatus] : error
        }
      })
    }
    assert.deepEqual(eb(), [200, 200, 200, 200])
    assert.deepEqual(eb(), [
      ['EntityAlreadyExists', 409],
      ['EntityAlreadyExists', 409],
      200,
      ['LimitExceeded', 409],
    ])
    assert.deepEqual(
      iam.listRoles(context, {}).Roles?.map((one) => one.RoleName),
      [RoleName],
    )
  })
  it('describes a role with its policy percent-encoded', () => {
    const { iam, role } = made()
    role()
    const { Role } = iam.getRole(context, { RoleName: RoleName.toUpperCase() })
    assert.equal(Role?.Arn, `arn:aws:iam::${account}:role/${RoleName}`)
    assert.match(Role?.RoleId ?? '', /^AROA[A-Z0-9]{17}$/)
    assert.equal(decodeURIComponent(Role?.AssumeRolePolicyDocument ?? ''), trust)
    assert.ok(!Role?.AssumeRolePolicyDocument?.includes('"'))
  })
  it('says what cannot be found', () => {
    const { iam } = made()
    const missing = { RoleName: 'none' }
    const message = 'The role with name none cannot be found.'
    assert.throws(() => iam.getRole(context, missing), code('NoSuchEntity', 404, message))
    assert.throws(() => iam.deleteRole(context, missing), code('NoSuchEntity', 404))
    assert.throws(
      () => iam.getInstanceProfile(context, { InstanceProfileName: 'none' }),
      code('NoSuchEntity', 404, 'Instance Profile none cannot be found.'),
    )
  })
  it('deletes a role only when nothing hangs on it', () => {
    const { iam, role, profile } = made()
    role()
    profile()
    iam.attachRolePolicy(context, { RoleName, PolicyArn: webTier })
    iam.putRolePolicy(context, { RoleName, PolicyName: 'inline', PolicyDocument: trust })
    iam.addRoleToInstanceProfile(context, { RoleName, InstanceProfileName })
    const refused = code('DeleteConflict', 409)
    assert.throws(() => iam.deleteRole(context, { RoleName }), refused)
    assert.throws(() => iam.deleteInstanceProfile(context, { InstanceProfileName }), refused)
    iam.removeRoleFromInstanceProfile(context, { RoleName, InstanceProfileName })
    assert.throws(() => iam.deleteRole(context, { RoleName }), refused)
    iam.detachRolePolicy(context, { RoleName, PolicyArn: webTier })
    assert.throws(() => iam.deleteRole(context, { RoleName }), refused)
    iam.deleteRolePolicy(context, { RoleName, PolicyName: 'inline' })
    iam.deleteRole(context, { RoleName })
    iam.deleteInstanceProfile(context, { InstanceProfileName })
    assert.deepEqual(iam.listRoles(context, {}).Roles, [])
  })
  it('keeps inline policies', () => {
    const { iam, role } = made()
    role()
    iam.putRolePolicy(context, { RoleName, PolicyName: 'inline', PolicyDocument: trust })
    const { PolicyDocument } = iam.getRolePolicy(context, { RoleName, PolicyName: 'inline' })
    assert.equal(decodeURIComponent(PolicyDocument ?? ''), trust)
    assert.deepEqual(iam.listRolePolicies(context, { RoleName }).PolicyNames, ['inline'])
    assert.throws(
      () => iam.putRolePolicy(context, { RoleName, PolicyName: 'bad', PolicyDocument: '{' }),
      code('MalformedPolicyDocument', 400),
    )
    const PolicyDocument2 = JSON.stringify({ Statement: ['x'.repeat(10_240)] })
    assert.throws(
      () => iam.putRolePolicy(context, { RoleName, PolicyName: 'long', PolicyDocument: PolicyDocument2 }),
      code('LimitExceeded', 409),
    )
  })
  it('attaches the managed policies of AWS, ten at most, and no others', () => {
    const { iam, role } = made()
    role()
    const attach = (PolicyArn: string) => iam.attachRolePolicy(context, { RoleName, PolicyArn })
    attach('arn:aws:iam::aws:policy/service-role/AWSElasticBeanstalkEnhancedHealth')
    assert.deepEqual(iam.listAttachedRolePolicies(context, { RoleName }).AttachedPolicies, [
      {
        PolicyArn: 'arn:aws:iam::aws:policy/service-role/AWSElasticBeanstalkEnhancedHealth',
        PolicyName: 'AWSElasticBeanstalkEnhancedHealth',
      },
    ])
    assert.throws(
      () => attach(`arn:aws:iam::${account}:policy/own`),
      code('NoSuchEntity', 404, /not attachable/),
    )
    for (let index = 0; index < 9; index++) attach(`arn:aws:iam::aws:policy/P${index}`)
    assert.throws(
      () => attach(webTier),
      code('LimitExceeded', 409, 'Cannot exceed quota for PoliciesPerRole: 10'),
    )
    assert.throws(
      () => iam.detachRolePolicy(context, { RoleName, PolicyArn: webTier }),
      code('NoSuchEntity', 404),
    )
  })
  for (const name of ['', 'a b', 'a/b', 'ü', 'x'.repeat(65)])
    it(`refuses the role name ${JSON.stringify(name)}`, () => {
      const { role } = made()
      assert.throws(() => role(name), code('ValidationError', 400))
    })
  it('pages roles in order of their names', () => {
    const { iam, role } = made()
    for (const name of ['b', 'A', 'c', 'D', 'e']) role(name)
    const seen: (string | undefined)[] = []
    for (let Marker: string | undefined, more = true; more;) {
      const page = iam.listRoles(context, { MaxItems: 2, Marker })
      seen.push(...(page.Roles?.map((one) => one.RoleName) ?? []))
      more = page.IsTruncated === true
      Marker = page.Marker
    }
    assert.deepEqual(seen, ['A', 'b', 'c', 'D', 'e'])
    assert.throws(() => iam.listRoles(context, { MaxItems: 0 }), code('ValidationError', 400))
  })
  it('makes the service-linked roles of the services that are here, which nobody may change', () => {
    const { iam } = made()
    const AWSServiceName = 'elasticbeanstalk.amazonaws.com'
    const { Role } = iam.createServiceLinkedRole(context, { AWSServiceName })
    assert.equal(
      Role?.Arn,
      `arn:aws:iam::${account}:role/aws-service-role/${AWSServiceName}/AWSServiceRoleForElasticBeanstalk`,
    )
    assert.throws(
      () => iam.createServiceLinkedRole(context, { AWSServiceName }),
      code('InvalidInput', 400, /has been taken/),
    )
    for (const other of ['lex.amazonaws.com', '__proto__', 'constructor'])
      assert.throws(
        () => iam.createServiceLinkedRole(context, { AWSServiceName: other }),
        code('InvalidInput', 400),
      )
    const name = Role?.RoleName
    assert.throws(() => iam.deleteRole(context, { RoleName: name }), code('UnmodifiableEntity', 400))
  })
  it('tags roles and profiles', () => {
    const { iam, role, profile } = made()
    role()
    profile()
    iam.tagRole(context, {
      RoleName,
      Tags: [
        { Key: 'a', Value: '1' },
        { Key: 'b', Value: '2' },
      ],
    })
    iam.tagRole(context, { RoleName, Tags: [{ Key: 'a', Value: '3' }] })
    iam.untagRole(context, { RoleName, TagKeys: ['b'] })
    assert.deepEqual(iam.getRole(context, { RoleName }).Role?.Tags, [{ Key: 'a', Value: '3' }])
    iam.tagInstanceProfile(context, { InstanceProfileName, Tags: [{ Key: 'a', Value: '1' }] })
    assert.deepEqual(iam.listInstanceProfileTags(context, { InstanceProfileName }).Tags, [
      { Key: 'a', Value: '1' },
    ])
  })
  it('has no users and no groups', () => {
    const { iam } = made()
    assert.deepEqual(
      Object.keys(iam).filter((name) => /user|group/i.test(name)),
      [],
    )
  })
})
