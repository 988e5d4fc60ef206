// aws:elasticbeanstalk:command, :control, :healthreporting:*, …: how Elastic Beanstalk itself works on an environment.
import { THRESHOLD_OPTIONS } from './health-thresholds.ts'
import {
  accepted,
  choice,
  EFFECTIVE,
  flag,
  integer,
  list,
  namespace,
  only,
  REFUSED,
  text,
  type Namespace,
} from './option.ts'

const RETENTION = [
  '1',
  '3',
  '5',
  '7',
  '14',
  '30',
  '60',
  '90',
  '120',
  '150',
  '180',
  '365',
  '400',
  '545',
  '731',
  '1827',
  '3653',
]

const BATCHES =
  'Deployments go to all instances at once until the Rolling policies are implemented. `eb create` always sends it.'
const INTERNAL =
  'An internal option of AWS; nothing here depends on it. Configurations saved from AWS carry it.'
const MANAGED =
  'It matters only when ManagedActionsEnabled is true, which is refused until it is implemented.'

/** The metrics that can be published; null = not published. The default of ConfigDocument, in AWS's order. */
const CONFIG_DOCUMENT = JSON.stringify({
  Version: 1,
  CloudWatchMetrics: {
    Instance: nulls(
      'CPUIrq LoadAverage5min ApplicationRequests5xx ApplicationRequests4xx CPUUser LoadAverage1min ApplicationLatencyP50 CPUIdle InstanceHealth ApplicationLatencyP95 ApplicationLatencyP85 RootFilesystemUtil ApplicationLatencyP90 CPUSystem ApplicationLatencyP75 CPUSoftirq ApplicationLatencyP10 ApplicationLatencyP99 ApplicationRequestsTotal ApplicationLatencyP99.9 ApplicationRequests3xx ApplicationRequests2xx CPUIowait CPUNice',
    ),
    Environment: nulls(
      'InstancesSevere InstancesDegraded ApplicationRequests5xx ApplicationRequests4xx ApplicationLatencyP50 ApplicationLatencyP95 ApplicationLatencyP85 InstancesUnknown ApplicationLatencyP90 InstancesInfo InstancesPending ApplicationLatencyP75 ApplicationLatencyP10 ApplicationLatencyP99 ApplicationRequestsTotal InstancesNoData ApplicationLatencyP99.9 ApplicationRequests3xx ApplicationRequests2xx InstancesOk InstancesWarning',
    ),
  },
})

export const managementOptions: Namespace[] = [
  namespace('aws:elasticbeanstalk:cloudwatch:logs', { severity: 'NoInterruption', effect: EFFECTIVE }, [
    flag('DeleteOnTerminate'),
    choice('RetentionInDays', RETENTION, { default: '7' }),
    flag('StreamLogs'),
  ]),
  namespace(
    'aws:elasticbeanstalk:cloudwatch:logs:health',
    { severity: 'NoInterruption', effect: EFFECTIVE },
    [
      flag('DeleteOnTerminate'),
      flag('HealthStreamingEnabled'),
      choice('RetentionInDays', RETENTION, { default: '7' }),
    ],
  ),
  namespace('aws:elasticbeanstalk:command', { severity: 'NoInterruption', effect: EFFECTIVE }, [
    integer('BatchSize', 1, 10_000, { default: '100', effect: accepted(BATCHES) }),
    choice('BatchSizeType', ['Percentage', 'Fixed'], { default: 'Percentage', effect: accepted(BATCHES) }),
    choice(
      'DeploymentPolicy',
      ['AllAtOnce', 'Rolling', 'RollingWithAdditionalBatch', 'Immutable', 'TrafficSplitting'],
      {
        default: 'AllAtOnce',
        effect: only('AllAtOnce'),
      },
    ),
    flag('IgnoreHealthCheck'),
    integer('Timeout', 1, 3600, { default: '600' }),
  ]),
  namespace(
    'aws:elasticbeanstalk:control',
    { severity: 'NoInterruption', effect: accepted(INTERNAL), shown: 'given' },
    [
      text('DefaultSSHPort', { default: '22' }),
      integer('LaunchTimeout', 0, undefined, { default: '0' }),
      choice('LaunchType', ['Migration', 'Normal'], { default: 'Normal' }),
      flag('RollbackLaunchOnFailure'),
    ],
  ),
  namespace(
    'aws:elasticbeanstalk:healthreporting:system',
    { severity: 'NoInterruption', effect: EFFECTIVE },
    [
      { name: 'ConfigDocument', type: 'Json', default: CONFIG_DOCUMENT, maxLength: 32_000 },
      flag('EnhancedHealthAuthEnabled', 'true', {
        effect: accepted(
          'Health is read by Polebean itself; there is no agent that would have to identify itself.',
        ),
      }),
      choice('HealthCheckSuccessThreshold', ['Ok', 'Warning', 'Degraded', 'Severe'], { default: 'Ok' }),
      // On AWS, platforms of Amazon Linux 2 and later know no other than enhanced.
      choice('SystemType', ['basic', 'enhanced'], { default: 'enhanced', severity: 'RestartEnvironment' }),
    ],
  ),
  namespace('aws:elasticbeanstalk:hostmanager', { severity: 'NoInterruption', effect: REFUSED }, [
    flag('LogPublicationControl', 'false', { values: ['true', 'false'] }),
  ]),
  namespace('aws:elasticbeanstalk:managedactions', { severity: 'NoInterruption', effect: REFUSED }, [
    flag('ManagedActionsEnabled'),
    text('PreferredStartTime', {
      maxLength: 9,
      regex:
        '^([Ss][Uu][Nn]|[Mm][Oo][Nn]|[Tt][Uu][Ee]|[Ww][Ee][Dd]|[Tt][Hh][Uu]|[Ff][Rr][Ii]|[Ss][Aa][Tt]):([01]\\d|2[0-3]):[0-5]\\d$',
      effect: accepted(MANAGED),
    }),
    text('ServiceRoleForManagedUpdates', { effect: accepted(MANAGED) }),
  ]),
  namespace(
    'aws:elasticbeanstalk:managedactions:platformupdate',
    { severity: 'NoInterruption', effect: REFUSED },
    [
      flag('InstanceRefreshEnabled'),
      choice('UpdateLevel', ['patch', 'minor'], { effect: accepted(MANAGED) }),
    ],
  ),
  namespace('aws:elasticbeanstalk:monitoring', { severity: 'NoInterruption', effect: REFUSED }, [
    flag('Automatically Terminate Unhealthy Instances', 'true', {
      effect: accepted('Without effect in AWS as well, where it is kept for old environments.'),
    }),
  ]),
  namespace('aws:elasticbeanstalk:sns:topics', { severity: 'NoInterruption', effect: REFUSED }, [
    text('Notification Endpoint'),
    choice('Notification Protocol', ['http', 'https', 'email', 'email-json', 'sqs'], {
      default: 'email',
      effect: accepted(
        'It matters only with a Notification Endpoint, which is refused until it is implemented.',
      ),
    }),
    text('Notification Topic ARN'),
    text('Notification Topic Name'),
  ]),
  namespace('aws:elasticbeanstalk:sqsd', { severity: 'NoInterruption', effect: REFUSED, shown: 'given' }, [
    integer('ConnectTimeout', 1, 60, { default: '5' }),
    integer('ErrorVisibilityTimeout', 0, 43_200, { default: '2' }),
    integer('HttpConnections', 1, 100, { default: '50' }),
    text('HttpPath', { default: '/' }),
    integer('InactivityTimeout', 1, 36_000, { default: '299' }),
    integer('MaxRetries', 1, 100, { default: '10' }),
    text('MimeType', { default: 'application/json' }),
    integer('RetentionPeriod', 60, 1_209_600, { default: '345600' }),
    integer('VisibilityTimeout', 0, 43_200, { default: '300' }),
    text('WorkerQueueURL'),
  ]),
  namespace(
    'aws:elasticbeanstalk:trafficsplitting',
    { severity: 'NoInterruption', effect: REFUSED, shown: 'given' },
    [
      integer('EvaluationTime', 3, 600, { default: '5' }),
      integer('NewVersionPercent', 1, 100, { default: '10' }),
    ],
  ),
  namespace('aws:elasticbeanstalk:xray', { severity: 'RestartApplicationServer', effect: REFUSED }, [
    choice('XRayEnabled', ['true', 'false'], { default: 'false' }),
  ]),
  // Polebean's own: AWS has its thresholds to itself.
  namespace(
    'polebean:healthreporting',
    { severity: 'NoInterruption', effect: EFFECTIVE, shown: 'given' },
    THRESHOLD_OPTIONS.map(([name, preset, max]) => ({
      ...{ name, type: 'Scalar', number: 'decimal', default: String(preset), max },
      min: max === 100 ? 0.1 : 0,
    })),
  ),
  // AWS lets connections that are there live on, and so does the default.
  namespace('polebean:loadbalancer', { severity: 'NoInterruption', effect: EFFECTIVE, shown: 'given' }, [
    integer('QueueSeconds', 0, 300, { default: '0' }),
    text('ErrorPage', { maxLength: 4_096 }),
  ]),
  namespace('polebean:domains', { severity: 'NoInterruption', effect: EFFECTIVE, shown: 'given' }, [
    list('Hosts'),
  ]),
  namespace('polebean:firewall', { severity: 'NoInterruption', effect: EFFECTIVE, shown: 'given' }, [
    flag('CutOnRevoke'),
  ]),
]

function nulls(names: string): Record<string, null> {
  return Object.fromEntries(names.split(' ').map((name) => [name, null]))
}
