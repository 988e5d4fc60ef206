// Every describe operation that the services of an environment have, as `aws` calls it: from the list of what is
// implemented, so that a new one is called too.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './home.ts'

export type Named = {
  group: string
  vpc: string
  loadBalancer: string
  listener: string
  targetGroup: string
  instance: string
}

/** Arguments of `aws`, one list a call. */
export function describeCalls(named: Named): string[][] {
  const needed: Record<string, string[]> = {
    'autoscaling describe-instance-refreshes': ['--auto-scaling-group-name', named.group],
    'autoscaling describe-lifecycle-hooks': ['--auto-scaling-group-name', named.group],
    'autoscaling describe-load-balancer-target-groups': ['--auto-scaling-group-name', named.group],
    'autoscaling describe-traffic-sources': ['--auto-scaling-group-name', named.group],
    'ec2 describe-instance-attribute': [...['--instance-id', named.instance, '--attribute', 'groupSet']],
    'ec2 describe-launch-template-versions': ['--versions', '$Latest'],
    'ec2 describe-vpc-attribute': ['--vpc-id', named.vpc, '--attribute', 'enableDnsSupport'],
    'elbv2 describe-listener-certificates': ['--listener-arn', named.listener],
    'elbv2 describe-listeners': ['--load-balancer-arn', named.loadBalancer],
    'elbv2 describe-listener-attributes': ['--listener-arn', named.listener],
    'elbv2 describe-load-balancer-attributes': ['--load-balancer-arn', named.loadBalancer],
    'elbv2 describe-rules': ['--listener-arn', named.listener],
    'elbv2 describe-tags': ['--resource-arns', named.loadBalancer, named.targetGroup],
    'elbv2 describe-target-group-attributes': ['--target-group-arn', named.targetGroup],
    'elbv2 describe-target-health': ['--target-group-arn', named.targetGroup],
  }
  return Object.entries({ ec2: 'ec2', autoscaling: 'autoscaling', elasticloadbalancingv2: 'elbv2' }).flatMap(
    ([service, program]) =>
      implemented(service)
        .filter((name) => name.startsWith('Describe'))
        .map((name) => [program, kebab(name), ...(needed[`${program} ${kebab(name)}`] ?? [])]),
  )
}

// docs/compatibility.md is held to reality by a test of its own.
function implemented(service: string): string[] {
  const text = readFileSync(join(root, 'docs/compatibility.md'), 'utf8')
  const names = new RegExp(`^### ${service}: .*\\n\\n(.*)$`, 'm').exec(text)?.[1] ?? ''
  return names.split(', ').filter(Boolean)
}

/** As `aws` writes it: DescribeSSLPolicies is describe-ssl-policies. */
const kebab = (name: string) =>
  name
    .replace(/([a-z])([A-Z])/g, '$1-$2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1-$2')
    .toLowerCase()
