// aws:elasticbeanstalk:environment*, :application*, :container:*: the environment, its processes, the software.
import {
  accepted,
  choice,
  EFFECTIVE,
  flag,
  integer,
  namespace,
  only,
  REFUSED,
  text,
  type Namespace,
} from './option.ts'

const PROCESS = [
  integer('DeregistrationDelay', 0, 3600, { default: '20', effect: EFFECTIVE }),
  integer('HealthCheckInterval', 5, 300, { default: '15', effect: EFFECTIVE }),
  text('HealthCheckPath', { default: '/', effect: EFFECTIVE, maxLength: 1024, regex: '^/[!-~]*$' }),
  // AWS's own table says 1; its Application Load Balancers take 2 at least.
  integer('HealthCheckTimeout', 2, 60, { default: '5', effect: EFFECTIVE }),
  integer('HealthyThresholdCount', 2, 10, { default: '3', effect: EFFECTIVE }),
  // AWS shows no value for it; its Application Load Balancers then expect 200.
  text('MatcherHTTPCode', { effect: EFFECTIVE, maxLength: 256, regex: '^[2-4]\\d\\d([,-][2-4]\\d\\d)*$' }),
  integer('Port', 1, 65_535, { default: '80', effect: EFFECTIVE }),
  choice('Protocol', ['HTTP', 'HTTPS'], { default: 'HTTP', effect: EFFECTIVE }),
  flag('StickinessEnabled', 'false', { effect: EFFECTIVE }),
  integer('StickinessLBCookieDuration', 1, 604_800, { default: '86400', effect: EFFECTIVE }),
  choice('StickinessType', ['lb_cookie'], { default: 'lb_cookie', effect: EFFECTIVE }),
  integer('UnhealthyThresholdCount', 2, 10, { default: '5', effect: EFFECTIVE }),
]

export const environmentOptions: Namespace[] = [
  namespace('aws:elasticbeanstalk:application', { severity: 'NoInterruption', effect: EFFECTIVE }, [
    text('Application Healthcheck URL', {
      default: '',
      maxLength: 200,
      regex: '^((HTTP|TCP|SSL|HTTPS):)?(\\d*)(/.*)?$',
    }),
  ]),
  namespace(
    'aws:elasticbeanstalk:application:environment',
    {
      severity: 'RestartApplicationServer',
      effect: EFFECTIVE,
      shown: 'given',
      anyName: {
        type: 'Scalar',
        severity: 'RestartApplicationServer',
        effect: EFFECTIVE,
        // "Keys can contain any alphanumeric characters and the following symbols: _ . : / + \ - @", up to 128.
        namePattern: /^[A-Za-z0-9_.:/+\\@-]{1,128}$/,
        nameRule:
          'The name of an environment property has 1 to 128 of the characters A-Z a-z 0-9 _ . : / + \\ - @',
      },
    },
    [],
  ),
  namespace(
    'aws:elasticbeanstalk:application:environmentsecrets',
    {
      severity: 'RestartApplicationServer',
      effect: REFUSED,
      shown: 'given',
      anyName: {
        type: 'Scalar',
        severity: 'RestartApplicationServer',
        effect: REFUSED,
        namePattern: /^[A-Za-z0-9_.:/+\\@-]{1,128}$/,
        nameRule:
          'The name of an environment secret has 1 to 128 of the characters A-Z a-z 0-9 _ . : / + \\ - @',
      },
    },
    [],
  ),
  namespace('aws:elasticbeanstalk:environment', { severity: 'NoInterruption', effect: REFUSED }, [
    choice('EnvironmentType', ['LoadBalanced', 'SingleInstance'], {
      default: 'LoadBalanced',
      severity: 'RestartEnvironment',
      effect: EFFECTIVE,
    }),
    text('ExternalExtensionsS3Bucket', { severity: 'RestartEnvironment', maxLength: 255 }),
    text('ExternalExtensionsS3Key', { severity: 'RestartEnvironment', maxLength: 1024 }),
    flag('LoadBalancerIsShared', 'false', { effect: EFFECTIVE }),
    // Differs from AWS's API, whose default is classic; the console and `eb` send application.
    choice('LoadBalancerType', ['classic', 'application', 'network'], {
      default: 'application',
      effect: only('application', 'classic'),
    }),
    text('ServiceRole', {
      maxLength: 500,
      effect: accepted(
        'Polebean acts on its own services itself; permissions of roles are not enforced here.',
      ),
    }),
  ]),
  namespace(
    'aws:elasticbeanstalk:environment:process:default',
    { severity: 'NoInterruption', effect: REFUSED },
    PROCESS,
  ),
  namespace(
    'aws:elasticbeanstalk:environment:process',
    { severity: 'NoInterruption', effect: REFUSED, named: 'NAME', shown: 'given' },
    PROCESS,
  ),
  namespace(
    'aws:elasticbeanstalk:environment:proxy',
    { severity: 'RestartApplicationServer', effect: EFFECTIVE },
    [choice('ProxyServer', ['nginx', 'apache', 'none'], { default: 'nginx', effect: only('nginx', 'none') })],
  ),
  namespace(
    'aws:elasticbeanstalk:environment:proxy:staticfiles',
    {
      severity: 'RestartApplicationServer',
      effect: EFFECTIVE,
      shown: 'given',
      anyName: {
        type: 'Scalar',
        severity: 'RestartApplicationServer',
        effect: EFFECTIVE,
        namePattern: /^\/[A-Za-z0-9._~/-]{0,127}$/,
        nameRule:
          'The URL path of static files starts with / and has only the characters A-Z a-z 0-9 . _ ~ / -',
        maxLength: 255,
        regex: '^(?!.*\\.\\.)[A-Za-z0-9_.][A-Za-z0-9_./-]*$',
      },
    },
    [],
  ),
  namespace(
    'aws:elasticbeanstalk:container:python',
    { severity: 'RestartApplicationServer', effect: EFFECTIVE, platform: 'python' },
    [
      integer('NumProcesses', 1, 64, { default: '1' }),
      integer('NumThreads', 1, 1024, { default: '15' }),
      text('WSGIPath', {
        default: 'application',
        maxLength: 200,
        regex: '^(?!.*\\.\\.)[A-Za-z0-9_][A-Za-z0-9_./-]*(:[A-Za-z_][A-Za-z0-9_.]*(\\(\\))?)?$',
      }),
    ],
  ),
  // Amazon Linux 1's namespace; newer platforms take package.json's start script or a Procfile instead.
  namespace(
    'aws:elasticbeanstalk:container:nodejs',
    { severity: 'RestartApplicationServer', effect: REFUSED, platform: 'nodejs', shown: 'given' },
    [
      flag('GzipCompression'),
      text('NodeCommand', { default: '' }),
      text('NodeVersion'),
      choice('ProxyServer', ['nginx', 'apache', 'none'], { default: 'nginx' }),
    ],
  ),
  namespace(
    'aws:elasticbeanstalk:container:php:phpini',
    { severity: 'RestartApplicationServer', effect: REFUSED, platform: 'php' },
    [
      text('composer_options'),
      choice('display_errors', ['On', 'Off'], { default: 'Off' }),
      text('document_root', { default: '/' }),
      integer('max_execution_time', 0, undefined, { default: '60' }),
      text('memory_limit', { default: '256M' }),
    ],
  ),
  namespace(
    'aws:elasticbeanstalk:container:tomcat:jvmoptions',
    { severity: 'RestartApplicationServer', effect: REFUSED, platform: 'tomcat' },
    [text('JVM Options'), text('Xms', { default: '256m' }), text('Xmx', { default: '256m' })],
  ),
  namespace('aws:cloudformation:template:parameter', { severity: 'Unknown', effect: REFUSED }, [
    text('AppSource'),
    { name: 'EnvironmentVariables', type: 'KeyValueList', severity: 'RestartApplicationServer' },
    text('HooksPkgUrl'),
    integer('InstancePort', 1, 65_535, { default: '80' }),
  ]),
  namespace(
    'aws:elasticbeanstalk:customoption',
    {
      severity: 'Unknown',
      effect: REFUSED,
      shown: 'given',
      anyName: {
        type: 'Scalar',
        severity: 'Unknown',
        effect: REFUSED,
        namePattern: /^.{1,200}$/,
        nameRule: 'too long',
      },
    },
    [],
  ),
  namespace('aws:rds:dbinstance', { severity: 'Unknown', effect: REFUSED, shown: 'given' }, [
    integer('DBAllocatedStorage', 5, 1024, { default: '5' }),
    choice('DBDeletionPolicy', ['Delete', 'Retain', 'Snapshot'], { default: 'Delete' }),
    text('DBEngine', { default: 'mysql' }),
    text('DBEngineVersion', { default: '5.5' }),
    text('DBInstanceClass', { default: 'db.t2.micro' }),
    text('DBPassword'),
    text('DBSnapshotIdentifier'),
    text('DBUser', { default: 'ebroot' }),
    flag('HasCoupledDatabase'),
    flag('MultiAZDatabase'),
  ]),
]
