// Platforms of this machine under AWS's names. Custom platforms do not exist here: their operations are not implemented,
// and nothing is owned by `self`.
import type { PlatformFilter, PlatformSummary, SearchFilter } from '@aws-sdk/client-elastic-beanstalk'
import type { Stack } from '../../../platforms/catalogue.ts'
import type { ElasticbeanstalkOperations } from '../../generated/elasticbeanstalk.ts'
import { compareVersions, filterRows, type FilterRules } from '../configuration/filters.ts'
import { missingParameter } from '../configuration/findings.ts'
import { pageOf } from '../paging.ts'
import type { Parts } from '../parts.ts'
import { checkRange, invalidValue } from '../validation.ts'
import { unknownPlatform } from './resolve-platform.ts'

type Operations = Pick<
  ElasticbeanstalkOperations,
  'listAvailableSolutionStacks' | 'listPlatformBranches' | 'listPlatformVersions' | 'describePlatformVersion'
>

export function makePlatformOperations({ catalogue }: Pick<Parts, 'catalogue'>): Operations {
  // A larger number is a newer branch; stacks come newest first.
  const orderOf = (index: number) => catalogue.stacks.length - index
  return {
    listAvailableSolutionStacks() {
      const names = catalogue.stacks.map(({ solutionStackName }) => solutionStackName)
      return {
        SolutionStacks: names,
        SolutionStackDetails: names.map((name) => ({ SolutionStackName: name, PermittedFileTypes: ['zip'] })),
      }
    },

    listPlatformBranches(_context, { Filters = [], MaxRecords, NextToken }) {
      checkRange('maxRecords', MaxRecords, 1, 1000)
      const branches = catalogue.stacks.map((stack, index) => ({
        PlatformName: stack.platformName,
        BranchName: stack.branchName,
        LifecycleState: 'Supported',
        BranchOrder: orderOf(index),
        SupportedTierList: TIERS,
      }))
      const filtered = filterRows(branches, Filters.map(ofSearch), BRANCH_FILTERS)
      const limits = { token: NextToken, pageMax: MaxRecords }
      const { rows, ...next } = pageOf(filtered, ({ BranchOrder }) => keyOf(BranchOrder), limits)
      return { PlatformBranchSummaryList: rows, ...next }
    },

    listPlatformVersions({ region }, { Filters = [], MaxRecords, NextToken }) {
      checkRange('maxRecords', MaxRecords, 1, 1000)
      const versions = catalogue.stacks.map((stack, index) => ({
        stack,
        order: orderOf(index),
        summary: summaryOf(stack, region),
      }))
      const filtered = filterRows(versions, Filters.map(ofPlatform), VERSION_FILTERS)
      const limits = { token: NextToken, pageMax: MaxRecords }
      const { rows, ...next } = pageOf(filtered, ({ order }) => keyOf(order), limits)
      return { PlatformSummaryList: rows.map(({ summary }) => summary), ...next }
    },

    describePlatformVersion({ region }, { PlatformArn: arn }) {
      if (arn === undefined) throw missingParameter('You must specify the PlatformArn.')
      const found = catalogue.resolve(arn)
      if (!arn.startsWith('arn:')) throw unknownPlatform(arn)
      if (found.kind !== 'found')
        throw found.kind === 'missing' ? invalidValue(found.message) : unknownPlatform(arn)
      const { stack, version, solutionStackName } = found
      return {
        PlatformDescription: {
          ...summaryOf(stack, region),
          PlatformArn: found.platformArn(region),
          PlatformName: stack.branchName,
          PlatformVersion: version,
          SolutionStackName: solutionStackName,
          Description: `${stack.platformName} ${stack.runtime.language}, as it is installed on this machine`,
          Maintainer: 'Polebean',
          ProgrammingLanguages: [{ Name: stack.platformName, Version: stack.runtime.language }],
          Frameworks: [],
          CustomAmiList: [],
          // `eb` looks for a newer version unless this says Recommended.
          PlatformLifecycleState: compareVersions(version, stack.version) < 0 ? undefined : RECOMMENDED,
        },
      }
    },
  }
}

const TIERS = ['WebServer/Standard']
const ADDONS = ['Monitoring/Healthd']
const RECOMMENDED = 'Recommended'
const OWNER = 'AWSElasticBeanstalk'

const summaryOf = (stack: Stack, region: string): PlatformSummary => ({
  PlatformArn: stack.platformArn(region),
  PlatformOwner: OWNER,
  PlatformStatus: 'Ready',
  PlatformCategory: stack.platformName,
  OperatingSystemName: 'Amazon Linux',
  OperatingSystemVersion: '2023',
  SupportedTierList: TIERS,
  SupportedAddonList: ADDONS,
  PlatformLifecycleState: RECOMMENDED,
  PlatformVersion: stack.version,
  PlatformBranchName: stack.branchName,
  PlatformBranchLifecycleState: 'Supported',
})

type Branch = {
  PlatformName: string
  BranchName: string
  LifecycleState: string
  BranchOrder: number
  SupportedTierList: string[]
}
const WORDS = ['=', '!=', 'begins_with', 'ends_with', 'contains', 'in', 'not_in']

const BRANCH_FILTERS: FilterRules<Branch> = {
  BranchName: { operators: WORDS, values: (branch) => [branch.BranchName] },
  LifecycleState: { operators: ['=', '!=', 'in', 'not_in'], values: (branch) => [branch.LifecycleState] },
  PlatformName: { operators: WORDS, values: (branch) => [branch.PlatformName] },
  TierType: { operators: ['=', '!='], values: (branch) => branch.SupportedTierList },
}

type Version = { stack: Stack; order: number; summary: PlatformSummary }
const COMPARISONS = ['=', '!=', '<', '<=', '>', '>=', 'contains', 'begins_with', 'ends_with']
const rule = (values: (version: Version) => (string | undefined)[]) => ({
  operators: COMPARISONS,
  values: (version: Version) => values(version).filter((value) => value !== undefined),
})

const VERSION_FILTERS: FilterRules<Version> = {
  // The name within the ARN, by which `eb clone` and `eb upgrade` ask.
  PlatformName: rule(({ stack }) => [stack.branchName]),
  PlatformVersion: {
    operators: COMPARISONS,
    values: ({ summary }) => [summary.PlatformVersion ?? ''],
    // `eb platform list` asks for the newest of each; ours have one.
    any: 'latest',
  },
  PlatformStatus: rule(({ summary }) => [summary.PlatformStatus]),
  PlatformBranchName: rule(({ summary }) => [summary.PlatformBranchName]),
  PlatformLifecycleState: rule(({ summary }) => [summary.PlatformLifecycleState]),
  PlatformOwner: rule(({ summary }) => [summary.PlatformOwner]),
  SupportedTier: rule(({ summary }) => summary.SupportedTierList ?? []),
  SupportedAddon: rule(({ summary }) => summary.SupportedAddonList ?? []),
  ProgrammingLanguageName: rule(({ stack }) => [
    `${stack.platformName} ${stack.runtime.language}`,
    stack.platformName,
  ]),
  OperatingSystemName: rule(({ summary }) => [summary.OperatingSystemName]),
}

const ofSearch = ({ Attribute, Operator, Values }: SearchFilter) => ({
  name: Attribute,
  operator: Operator,
  values: Values,
})
const ofPlatform = ({ Type, Operator, Values }: PlatformFilter) => ({
  name: Type,
  operator: Operator,
  values: Values,
})
const keyOf = (order: number) => String(order).padStart(6, '0')
