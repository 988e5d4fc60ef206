import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { makeCatalogue } from '../../../platforms/catalogue.ts'
import { systemContext } from '../../service.ts'
import { makePlatformOperations } from './platforms.ts'

const context = systemContext('000000000000', 'us-west-2', 'request-1')
const runtime = (family: 'python' | 'nodejs', language: string) => ({
  family,
  language,
  program: '/usr/bin/x',
  build: 'b',
})
const catalogue = makeCatalogue([
  runtime('python', '3.11'),
  runtime('python', '3.13'),
  runtime('nodejs', '26'),
])
const operations = makePlatformOperations({ catalogue })

const BRANCH = 'Python 3.13 running on 64bit Amazon Linux 2023'
const branches = (Filters: object[] = []) =>
  operations
    .listPlatformBranches(context, { Filters })
    .PlatformBranchSummaryList?.map(({ BranchName }) => BranchName)
const versions = (Filters: object[]) =>
  operations
    .listPlatformVersions(context, { Filters })
    .PlatformSummaryList?.map((each) => each.PlatformBranchName)

describe('ListAvailableSolutionStacks', () => {
  it('lists the newest first, and as many details as names', () => {
    const { SolutionStacks = [], SolutionStackDetails = [] } = operations.listAvailableSolutionStacks(
      context,
      {},
    )
    assert.match(SolutionStacks[0] ?? '', /^64bit Amazon Linux 2023 v\d+\.\d+\.\d+ running Python 3\.13$/)
    assert.deepEqual(
      SolutionStackDetails,
      SolutionStacks.map((SolutionStackName) => ({ SolutionStackName, PermittedFileTypes: ['zip'] })),
    )
  })
})

describe('ListPlatformBranches', () => {
  it('finds the branch that `eb` asks for by name', () => {
    assert.deepEqual(branches([{ Attribute: 'BranchName', Operator: '=', Values: [BRANCH] }]), [BRANCH])
    assert.deepEqual(branches([{ Attribute: 'BranchName', Operator: '=', Values: ['python-3.13'] }]), [])
  })

  it('applies every filter, whatever the case of its values', () => {
    const alive = { Attribute: 'LifecycleState', Operator: '!=', Values: ['retired'] }
    const python = { Attribute: 'PlatformName', Operator: 'in', Values: ['python', 'Ruby'] }
    assert.equal(branches([alive])?.length, 3)
    assert.equal(branches([alive, python])?.length, 2)
    assert.deepEqual(branches([{ Attribute: 'TierType', Operator: '=', Values: ['Worker/SQS/HTTP'] }]), [])
  })

  it('pages', () => {
    const first = operations.listPlatformBranches(context, { MaxRecords: 2 })
    assert.equal(first.PlatformBranchSummaryList?.length, 2)
    const rest = operations.listPlatformBranches(context, { MaxRecords: 2, NextToken: first.NextToken })
    assert.deepEqual([rest.PlatformBranchSummaryList?.length, rest.NextToken], [1, undefined])
  })

  it('refuses filters, operators and values that do not exist', () => {
    for (const filter of [
      { Attribute: 'Color', Operator: '=', Values: ['red'] },
      { Attribute: 'constructor', Operator: '=', Values: ['red'] },
      { Attribute: 'BranchName', Operator: '<', Values: ['x'] },
      { Attribute: 'BranchName', Operator: '=', Values: [] },
      { Attribute: 'BranchName', Operator: '=', Values: ['x', 'y'] },
    ])
      assert.throws(() => branches([filter]), { code: 'InvalidParameterValue' })
  })
})

describe('ListPlatformVersions', () => {
  it('answers the questions of `eb create`, `eb clone` and `eb platform list`', () => {
    assert.deepEqual(versions([{ Type: 'PlatformBranchName', Operator: '=', Values: [BRANCH] }]), [BRANCH])
    assert.deepEqual(
      versions([
        { Type: 'PlatformOwner', Operator: '=', Values: ['AWSElasticBeanstalk'] },
        { Type: 'PlatformName', Operator: '=', Values: [BRANCH] },
        { Type: 'PlatformStatus', Operator: '=', Values: ['Ready'] },
      ]),
      [BRANCH],
    )
    assert.deepEqual(
      versions([
        { Type: 'PlatformOwner', Operator: '=', Values: ['self'] },
        { Type: 'PlatformVersion', Operator: '=', Values: ['latest'] },
      ]),
      [],
    )
  })

  it('compares versions by their numbers', () => {
    const newer = (Values: string[]) =>
      versions([{ Type: 'PlatformVersion', Operator: '>=', Values }])?.length
    assert.deepEqual([newer(['4.0.0']), newer(['10.0.0'])], [3, 0])
  })
})

describe('DescribePlatformVersion', () => {
  it('describes a version of a branch that runs here, an older one as not recommended', () => {
    const arn = (version: string) => `arn:aws:elasticbeanstalk:us-west-2::platform/${BRANCH}/${version}`
    const describe = (version: string) =>
      operations.describePlatformVersion(context, { PlatformArn: arn(version) }).PlatformDescription
    const old = describe('4.0.1')
    assert.deepEqual(
      [
        old?.PlatformArn,
        old?.PlatformName,
        old?.PlatformVersion,
        old?.PlatformBranchName,
        old?.PlatformLifecycleState,
      ],
      [arn('4.0.1'), BRANCH, '4.0.1', BRANCH, undefined],
    )
    assert.equal(old?.SolutionStackName, '64bit Amazon Linux 2023 v4.0.1 running Python 3.13')
    const listed = catalogue.stacks.find(({ branchName }) => branchName === BRANCH)?.version ?? ''
    assert.equal(describe(listed)?.PlatformLifecycleState, 'Recommended')
  })

  it('names a platform that does not exist as Terraform expects it', () => {
    assert.throws(() => operations.describePlatformVersion(context, { PlatformArn: 'arn:aws:x' }), {
      code: 'InvalidParameterValue',
      message: "No Platform named 'arn:aws:x' found.",
    })
    assert.throws(() => operations.describePlatformVersion(context, {}), { code: 'MissingRequiredParameter' })
  })
})
