// How an environment's row is shown.
import type { EnvironmentDescription } from '@aws-sdk/client-elastic-beanstalk'
import { frontOf } from '../front.ts'
import { cnameOf, environmentArn } from '../names.ts'
import type { Parts } from '../parts.ts'
import { resourcesOf, type EnvironmentRow } from '../store.ts'

export function describeEnvironment({ domain, ports }: Parts, row: EnvironmentRow): EnvironmentDescription {
  const { loadBalancerArn, loadBalancerName, loadBalancerDnsName, elasticAddress } = resourcesOf(row)
  const front = frontOf(row)
  return {
    EnvironmentName: row.name,
    EnvironmentId: row.id,
    ApplicationName: row.applicationName,
    VersionLabel: row.versionLabel ?? undefined,
    SolutionStackName: row.solutionStackName ?? undefined,
    PlatformArn: row.platformArn,
    TemplateName: row.templateName ?? undefined,
    Description: row.description ?? undefined,
    EndpointURL: front === 'elastic address' ? elasticAddress : loadBalancerDnsName,
    CNAME: cnameOf(row, domain),
    DateCreated: new Date(row.createdAt),
    DateUpdated: new Date(row.updatedAt),
    Status: row.status,
    AbortableOperationInProgress: row.abortable === 1,
    Health: row.health as EnvironmentDescription['Health'],
    // Of basic health there is none.
    HealthStatus: (row.healthStatus || undefined) as EnvironmentDescription['HealthStatus'],
    // Differs from AWS, where the ports are those of the listeners: here the first is where a client of this machine
    // finds the listener of port 80, the second is the environment's own port on loopback (any Host). A single instance has
    // no load balancer that could be named, and is reached in the same ways.
    Resources:
      (loadBalancerArn ?? elasticAddress)
        ? {
            LoadBalancer: {
              LoadBalancerName: front === 'load balancer' ? (loadBalancerName ?? loadBalancerArn) : undefined,
              Domain: cnameOf(row, domain),
              Listeners: [ports.http, row.loopbackPort ?? 0]
                .filter(Boolean)
                .map((Port) => ({ Protocol: 'HTTP', Port })),
            },
          }
        : undefined,
    Tier: JSON.parse(row.tier) as EnvironmentDescription['Tier'],
    EnvironmentLinks: [],
    EnvironmentArn: environmentArn(row),
  }
}
