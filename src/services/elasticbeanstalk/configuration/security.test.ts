import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { resolveConfiguration, type ResolveInput } from './resolve.ts'

const LAUNCH = 'aws:autoscaling:launchconfiguration'
const option = (Namespace: string, OptionName: string, Value: string) => ({ Namespace, OptionName, Value })
const resolve = (input: Partial<ResolveInput>) =>
  resolveConfiguration({ platform: 'python', stored: null, ...input })

const NAMES = {
  instanceTypes: new Set(['t3.micro', 't3.small']),
  hasSecurityGroup: (named: string) => ['sg-1', 'web', 'sg-2'].includes(named),
  hasCertificate: () => false,
  hasSslPolicy: () => false,
  hasBucket: () => false,
  sharableLoadBalancers: () => new Map<string, number[]>(),
  hasKeyPair: (name: string) => name === 'mine',
  vpcId: 'vpc-1',
}

describe('a wrong setting of security', () => {
  const value = (given: string, namespace: string, name: string, complaint: string) =>
    `Configuration validation exception: Invalid option value: '${given}' (Namespace: '${namespace}', OptionName: '${name}'): ${complaint}`
  const LB = 'aws:elbv2:loadbalancer'
  const GROUPS = Array.from({ length: 16 }, (_unused, index) => `sg-${index}`)
  const security: [name: string, given: ReturnType<typeof option>[], message: string][] = [
    [
      'a security group that is not there',
      [option(LAUNCH, 'SecurityGroups', 'web,sg-3')],
      value('sg-3', LAUNCH, 'SecurityGroups', "The security group 'sg-3' does not exist"),
    ],
    [
      'a managed group that is not there',
      [option(LB, 'ManagedSecurityGroup', 'sg-3')],
      value('sg-3', LB, 'ManagedSecurityGroup', "The security group 'sg-3' does not exist"),
    ],
    [
      'a key pair that is not there',
      [option(LAUNCH, 'EC2KeyName', 'yours')],
      value('yours', LAUNCH, 'EC2KeyName', "The key pair 'yours' does not exist"),
    ],
    [
      'SSH from a group that is not there',
      [option(LAUNCH, 'SSHSourceRestriction', 'tcp,22,22,db')],
      value('db', LAUNCH, 'SSHSourceRestriction', "The security group 'db' does not exist"),
    ],
    ...[
      ['tcp,22,22,10.0.0.0/33', 'CIDR block 10.0.0.0/33 is malformed. Instances have addresses of IPv4.'],
      ['tcp,22,22,::/0', 'CIDR block ::/0 is malformed. Instances have addresses of IPv4.'],
      ['icmp,8,0,10.0.0.0/8', "Unknown protocol 'icmp'. It takes tcp and udp."],
      ['tcp,22,70000,10.0.0.0/8', 'Invalid port range (22:70000).'],
      ['tcp,23,22,10.0.0.0/8', 'Invalid port range (23:22).'],
    ].map(([given = '', complaint = '']): [string, ReturnType<typeof option>[], string] => [
      given,
      [option(LAUNCH, 'SSHSourceRestriction', given)],
      value(given, LAUNCH, 'SSHSourceRestriction', complaint),
    ]),
    [
      'no security group at all',
      [option(LAUNCH, 'DisableDefaultEC2SecurityGroup', 'true')],
      value(
        'true',
        LAUNCH,
        'DisableDefaultEC2SecurityGroup',
        'Without the default EC2 security group you must specify others with the option SecurityGroups.',
      ),
    ],
    [
      'more groups than an interface has',
      [option(LAUNCH, 'SecurityGroups', GROUPS.join())],
      value(
        GROUPS.join(),
        LAUNCH,
        'SecurityGroups',
        'The maximum number of security groups per interface has been reached.',
      ),
    ],
    [
      'another VPC',
      [option('aws:ec2:vpc', 'VPCId', 'vpc-2')],
      value('vpc-2', 'aws:ec2:vpc', 'VPCId', "The VPC 'vpc-2' does not exist. There is one: vpc-1"),
    ],
  ]
  for (const [name, given, message] of security)
    it(`is ${name}`, () => {
      const names = name.startsWith('more') ? { ...NAMES, hasSecurityGroup: () => true } : NAMES
      assert.throws(() => resolve({ given, names }), { message })
    })

  it('is no key pair that an environment has had for long', () => {
    const stored = [{ namespace: LAUNCH, optionName: 'EC2KeyName', resourceName: null, value: 'yours' }]
    assert.equal(resolve({ stored, given: [], names: NAMES }).configuration.keyName, 'yours')
  })

  it('is an instance type that does not exist, when it is known which do', () => {
    const names = NAMES
    const given = [option(LAUNCH, 'InstanceType', 'x9.huge')]
    assert.throws(
      () => resolve({ given, names }),
      /'x9.huge'.*not one of the allowed values: \[t3.micro, t3.small\]/,
    )
    assert.equal(
      resolve({ given: [option(LAUNCH, 'InstanceType', 't3.small')], names }).configuration.instanceType,
      't3.small',
    )
  })
})
