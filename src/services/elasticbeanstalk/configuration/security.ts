// Rules about settings that name security groups, key pairs and the VPC, in the words of AWS where they are known.
import { isIPv4 } from 'node:net'
import { listItems } from '../options/check-value.ts'
import { givenIn } from './effective.ts'
import { valueError } from './findings.ts'
import type { EnvironmentConfiguration, Finding, Setting } from './types.ts'
import type { Validated } from './validate.ts'

const LAUNCH = 'aws:autoscaling:launchconfiguration'
const BALANCER = 'aws:elbv2:loadbalancer'
const CLASSIC = 'aws:elb:loadbalancer'
const VPC = 'aws:ec2:vpc'

/** AWS's quota is 5 and is raised to 16 on request; ec2 here gives 16 at once. */
const GROUPS_MAX = 16
const TOO_MANY = 'The maximum number of security groups per interface has been reached.'

/** A group or a key that is not there, or not in this VPC: AWS does not tell which. */
export function unknownName({ names, before }: Validated, setting: Setting): Finding | undefined {
  if (!names || setting.value === '') return undefined
  const { namespace, optionName, value } = setting
  switch (`${namespace} ${optionName}`) {
    case `${LAUNCH} SecurityGroups`:
    case `${CLASSIC} SecurityGroups`:
    case `${CLASSIC} ManagedSecurityGroup`:
    case `${BALANCER} SecurityGroups`:
    case `${BALANCER} ManagedSecurityGroup`: {
      const unknown = listItems(value).find((one) => !names.hasSecurityGroup(one))
      return unknown === undefined ? undefined : noGroup(setting, unknown)
    }
    case `${LAUNCH} SSHSourceRestriction`:
      return sourceFinding(names.hasSecurityGroup, setting)
    case `${LAUNCH} EC2KeyName`: {
      // Environments of earlier versions may have a name that nobody had to know.
      const had = before?.some((one) => givenIn([one], setting) && one.value === value)
      return had || names.hasKeyPair(value)
        ? undefined
        : valueError(setting, value, `The key pair '${value}' does not exist`)
    }
    case `${VPC} VPCId`:
      return value === names.vpcId
        ? undefined
        : valueError(setting, value, `The VPC '${value}' does not exist. There is one: ${names.vpcId}`)
    default:
      return undefined
  }
}

/** What is wrong with the groups taken together. */
export function securityFindings(configuration: EnvironmentConfiguration): Finding[] {
  const { securityGroups, disableDefaultSecurityGroup, loadBalancerSecurityGroups, managedSecurityGroup } =
    configuration
  const findings: Finding[] = []
  const complain = (namespace: string, optionName: string, value: string, complaint: string) =>
    findings.push(valueError({ namespace, optionName, resourceName: null }, value, complaint))
  if (disableDefaultSecurityGroup && securityGroups.length === 0)
    complain(
      LAUNCH,
      'DisableDefaultEC2SecurityGroup',
      'true',
      'Without the default EC2 security group you must specify others with the option SecurityGroups.',
    )
  const own = disableDefaultSecurityGroup ? 0 : 1
  if (new Set(securityGroups).size + own > GROUPS_MAX)
    complain(LAUNCH, 'SecurityGroups', securityGroups.join(','), TOO_MANY)
  const ofBalancer = new Set([...loadBalancerSecurityGroups, managedSecurityGroup || 'its own'])
  if (ofBalancer.size > GROUPS_MAX)
    complain(BALANCER, 'SecurityGroups', loadBalancerSecurityGroups.join(','), TOO_MANY)
  return findings
}

function sourceFinding(hasSecurityGroup: (named: string) => boolean, setting: Setting): Finding | undefined {
  const [protocol = '', from, to, ...rest] = setting.value.split(',').map((part) => part.trim())
  const source = rest.join(',')
  const complain = (complaint: string) => valueError(setting, setting.value, complaint)
  if (!['tcp', 'udp'].includes(protocol.toLowerCase()))
    return complain(`Unknown protocol '${protocol}'. It takes tcp and udp.`)
  if (Number(from) > Number(to) || Number(to) > 65_535) return complain(`Invalid port range (${from}:${to}).`)
  const [address = '', bits = ''] = source.split('/')
  if (source.includes('/'))
    return isIPv4(address) && /^([12]?\d|3[0-2])$/.test(bits)
      ? undefined
      : complain(`CIDR block ${source} is malformed. Instances have addresses of IPv4.`)
  return hasSecurityGroup(source) ? undefined : noGroup(setting, source)
}

const noGroup = (setting: Setting, group: string) =>
  valueError(setting, group, `The security group '${group}' does not exist`)
