// Members that AWS's public model lacks but that shipped clients send or read. Source: the EB CLI's private model,
// aws/aws-elastic-beanstalk-cli ebcli/lib/botocoredata/elasticbeanstalk/2010-12-01/service-2.json (3.27.1).

/** Targets are written as in src/gateway/model.ts: `$s` string, `$n` integer, `$b` boolean, else a shape's name. */
export type Patch = {
  /** Structure → members to add (an existing one of that name stays). */
  members: Record<string, Record<string, string>>
  structures: Record<string, Record<string, string>>
  lists: Record<string, string>
  /** Operation → TypeScript type of its output, where the SDK's own lacks an added member deeper inside. */
  outputTypes: Record<string, string>
}

/** Members of requests that take fractions: the SDK's schemas have one kind of number. Source: AWS's Smithy models. */
export const doubles: Record<string, Record<string, string[]>> = {
  autoscaling: {
    ExecutePolicyType: ['MetricValue', 'BreachThreshold'],
    StepAdjustment: ['MetricIntervalLowerBound', 'MetricIntervalUpperBound'],
    TargetTrackingConfiguration: ['TargetValue'],
    PredictiveScalingMetricSpecification: ['TargetValue'],
    MemoryGiBPerVCpuRequest: ['Min', 'Max'],
    NetworkBandwidthGbpsRequest: ['Min', 'Max'],
    TotalLocalStorageGBRequest: ['Min', 'Max'],
  },
  cloudwatch: {
    MetricDatum: ['Value', 'Values', 'Counts'],
    StatisticSet: ['SampleCount', 'Sum', 'Minimum', 'Maximum'],
    PutMetricAlarmInput: ['Threshold'],
    MetricAlarm: ['Threshold'],
    Datapoint: ['SampleCount', 'Average', 'Sum', 'Minimum', 'Maximum'],
    MetricDataResult: ['Values'],
  },
  ec2: {
    MemoryGiBPerVCpuRequest: ['Min', 'Max'],
    NetworkBandwidthGbpsRequest: ['Min', 'Max'],
    TotalLocalStorageGBRequest: ['Min', 'Max'],
  },
}

const templateSpecification = { TemplateSpecification: 'EnvironmentTemplateSpecification' }
const baseOfOptions = {
  Tier: 'EnvironmentTier',
  SolutionStackName: '$s',
  PlatformArn: '$s',
  OptionSettings: 'ConfigurationOptionSettingsList',
  OptionsToRemove: 'OptionsSpecifierList',
  VersionLabel: '$s',
}

export const patches: Record<string, Patch> = {
  elasticbeanstalk: {
    members: {
      CreateEnvironmentMessage: templateSpecification,
      UpdateEnvironmentMessage: templateSpecification,
      CreateConfigurationTemplateMessage: {
        Tier: 'EnvironmentTier',
        OptionsToRemove: 'OptionsSpecifierList',
        VersionLabel: '$s',
        ...templateSpecification,
      },
      ValidateConfigurationSettingsMessage: { ...baseOfOptions, ...templateSpecification },
      DescribeConfigurationOptionsMessage: { ...baseOfOptions, ...templateSpecification },
      DeletePlatformVersionRequest: { DeleteResources: '$b' },
      ConfigurationSettingsDescription: { Tier: 'EnvironmentTier' },
    },
    structures: {
      EnvironmentTemplateSpecification: {
        TemplateSource: 'TemplateSource',
        TemplateSnippets: 'TemplateSnippetList',
        Parameters: 'TemplateParameterList',
      },
      TemplateSource: {
        SolutionStackName: '$s',
        PlatformArn: '$s',
        EnvironmentName: '$s',
        SourceContents: '$s',
      },
      TemplateSnippet: { SnippetName: '$s', SourceUrl: '$s', SnippetContents: '$s', Order: '$n' },
      TemplateParameter: { Parameter: '$s', Value: '$s' },
    },
    lists: { TemplateSnippetList: 'TemplateSnippet', TemplateParameterList: 'TemplateParameter' },
    outputTypes: {
      DescribeConfigurationSettings:
        "Omit<sdk.DescribeConfigurationSettingsCommandOutput, 'ConfigurationSettings'> & " +
        '{ ConfigurationSettings?: (sdk.ConfigurationSettingsDescription & { Tier?: sdk.EnvironmentTier })[] }',
    },
  },
}
