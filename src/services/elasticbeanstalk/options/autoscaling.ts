// aws:autoscaling:*: the group, what its instances are made of, when it changes its size.
import {
  accepted,
  acceptedOnly,
  choice,
  EFFECTIVE,
  flag,
  integer,
  list,
  namespace,
  REFUSED,
  text,
  type Namespace,
} from './option.ts'

const GROUP = 'AWSEBAutoScalingGroup'
const LAUNCH = 'AWSEBAutoScalingLaunchConfiguration'

export const MEASURES = [
  'CPUUtilization',
  'NetworkIn',
  'NetworkOut',
  'DiskWriteOps',
  'DiskReadBytes',
  'DiskReadOps',
  'DiskWriteBytes',
  'Latency',
  'RequestCount',
  'HealthyHostCount',
  'UnHealthyHostCount',
  'TargetResponseTime',
]
const UNITS = [
  'Seconds',
  'Percent',
  'Bytes',
  'Bits',
  'Count',
  'Bytes/Second',
  'Bits/Second',
  'Count/Second',
  'None',
]
const TIME = {
  maxLength: 40,
  regex: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d(:\\d{1,2}(\\.\\d{1,9})?)?(Z|[+-]\\d\\d:\\d\\d)?$',
}
const DURATION = '^PT(\\d+H)?(\\d+M)?(\\d+S)?$'

const NO_BATCHES =
  'Batches are not implemented yet: a change that needs new instances always replaces them one at a time, each when the one before is healthy. `eb create` always sends it.'

export const autoscalingOptions: Namespace[] = [
  namespace('aws:autoscaling:asg', { severity: 'NoInterruption', effect: EFFECTIVE, resource: GROUP }, [
    choice('Availability Zones', ['Any', 'Any 1', 'Any 2', 'Any 3'], {
      default: 'Any',
      effect: accepted(
        'All zones of a home are on one machine, so spreading over more or fewer changes nothing.',
      ),
    }),
    integer('Cooldown', 0, 10_000, { default: '360' }),
    { name: 'Custom Availability Zones', type: 'List', default: '', effect: REFUSED },
    flag('EnableCapacityRebalancing', 'false', { effect: REFUSED }),
    integer('MaxSize', 0, 10_000, { default: '4' }),
    integer('MinSize', 0, 10_000, { default: '1' }),
  ]),
  namespace(
    'aws:autoscaling:launchconfiguration',
    { severity: 'RestartEnvironment', effect: REFUSED, resource: LAUNCH },
    [
      list('BlockDeviceMappings'),
      flag('DisableDefaultEC2SecurityGroup', 'false', { effect: EFFECTIVE }),
      flag('DisableIMDSv1', 'true', { effect: EFFECTIVE }),
      text('EC2KeyName', { maxLength: 200, effect: EFFECTIVE }),
      text('IamInstanceProfile', {
        effect: accepted('Permissions of roles are not enforced here, and instances get no AWS credentials.'),
      }),
      text('ImageId', { maxLength: 200, regex: '^ami-[a-z0-9]+$' }),
      text('InstanceType', {
        default: 't3.micro',
        effect: EFFECTIVE,
        resource: undefined,
        regex: '^[a-z][a-z0-9-]*\\.[a-z0-9-]+$',
      }),
      flag('LaunchTemplateTagPropagationEnabled'),
      choice('MonitoringInterval', ['1 minute', '5 minute'], {
        default: '5 minute',
        valuesNotEnforced: true,
        effect: accepted(
          'The figures of all instances are read at one interval, more often than either value.',
        ),
      }),
      integer('RootVolumeIOPS', 100, 20_000),
      // AWS takes 16,384; ec2 here gives no disk above 1,024 GiB.
      integer('RootVolumeSize', 8, 1024, { effect: EFFECTIVE }),
      integer('RootVolumeThroughput', 125, 1000),
      choice('RootVolumeType', ['standard', 'gp2', 'gp3', 'io1'], {
        caseSensitive: true,
        complaint: "'VALUE' is not a valid volume type. Must be 'standard', 'gp2' or 'io1'.",
        effect: accepted("An instance's disk is a file on this machine's disk, whatever the volume type."),
      }),
      list('SecurityGroups', { maxLength: 200, effect: EFFECTIVE }),
      text('SSHSourceRestriction', {
        resource: undefined,
        default: 'tcp,22,22,0.0.0.0/0',
        // AWS's own, and the blanks of the example in its guide.
        regex: '^.+, *\\d+, *\\d+,.+$',
        effect: EFFECTIVE,
      }),
    ],
  ),
  namespace(
    'aws:autoscaling:scheduledaction',
    { severity: 'NoInterruption', effect: EFFECTIVE, resourceNamed: true, shown: 'given' },
    [
      integer('DesiredCapacity', 0, 10_000),
      text('EndTime', TIME),
      integer('MaxSize', 0, 10_000),
      integer('MinSize', 0, 10_000),
      text('Recurrence', { maxLength: 255 }),
      text('StartTime', TIME),
      flag('Suspend'),
    ],
  ),
  namespace('aws:autoscaling:trigger', { severity: 'NoInterruption', effect: EFFECTIVE }, [
    integer('BreachDuration', 1, 600, { default: '5' }),
    integer('EvaluationPeriods', 1, 600, { default: '1' }),
    integer('LowerBreachScaleIncrement', undefined, undefined, { default: '-1', maxLength: 200 }),
    text('LowerThreshold', { number: 'decimal', min: 0, default: '2000000' }),
    choice('MeasureName', MEASURES, { default: 'NetworkOut' }),
    integer('Period', 1, 600, { default: '5' }),
    choice('Statistic', ['Minimum', 'Maximum', 'Sum', 'Average'], { default: 'Average' }),
    choice('Unit', UNITS, {
      default: 'Bytes',
      effect: accepted(
        'Each measure has a unit of its own, and the alarms look at it as it is, like those that AWS makes.',
      ),
    }),
    integer('UpperBreachScaleIncrement', undefined, undefined, { default: '1', maxLength: 200 }),
    // Of a latency, a part of a second.
    text('UpperThreshold', { number: 'decimal', min: 0, default: '6000000' }),
  ]),
  // Polebean's own. On AWS it takes a Resources section, which changes the group that Beanstalk made.
  namespace(
    'polebean:autoscaling:healthcheck',
    { severity: 'NoInterruption', effect: EFFECTIVE, shown: 'given' },
    [
      // Without it 0, as of AWS's environments; of ELB 300, as in AWS's guide.
      integer('GracePeriod', 0, 86_400),
      choice('HealthCheckType', ['EC2', 'ELB'], { default: 'EC2' }),
    ],
  ),
  // Polebean's own: scaling in seconds, in place of the trigger.
  namespace(
    'polebean:autoscaling:targettracking',
    { severity: 'NoInterruption', effect: EFFECTIVE, shown: 'given' },
    [
      flag('DisableScaleIn'),
      choice('Metric', ['CPUUtilization', 'RequestCountPerTarget']),
      integer('ScaleInSeconds', 1, 3600, { default: '30' }),
      integer('Seconds', 1, 60, { default: '2' }),
      text('TargetValue', { number: 'decimal', min: 0.001, max: 1_000_000_000 }),
      integer('WarmupSeconds', 0, 3600, { default: '5' }),
    ],
  ),
  namespace(
    'aws:autoscaling:updatepolicy:rollingupdate',
    { severity: 'NoInterruption', effect: REFUSED, resource: GROUP },
    [
      integer('MaxBatchSize', 1, 10_000),
      integer('MinInstancesInService', 0, 9999),
      text('PauseTime', { regex: DURATION }),
      flag('RollingUpdateEnabled', 'false', {
        effect: accepted(NO_BATCHES),
      }),
      choice('RollingUpdateType', ['Time', 'Health', 'Immutable'], {
        default: 'Time',
        effect: acceptedOnly(['Time', 'Health'], NO_BATCHES),
      }),
      text('Timeout', { default: 'PT30M', regex: DURATION }),
    ],
  ),
]
