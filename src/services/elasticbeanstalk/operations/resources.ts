import type { ElasticbeanstalkOperations } from '../../generated/elasticbeanstalk.ts'
import type { Parts } from '../parts.ts'
import { instancesOf, resourcesOf } from '../store.ts'
import { triggersOf } from '../workflows/scaling.ts'
import { findEnvironment } from './find-environment.ts'

type Operations = Pick<ElasticbeanstalkOperations, 'describeEnvironmentResources'>

export function makeResourceOperations({ store }: Parts): Operations {
  return {
    describeEnvironmentResources(context, input) {
      const row = findEnvironment(store, context, input)
      const resources = resourcesOf(row)
      const { autoScalingGroupName, launchConfigurationName, loadBalancerArn, loadBalancerName } = resources
      return {
        EnvironmentResources: {
          EnvironmentName: row.name,
          AutoScalingGroups: named(autoScalingGroupName),
          Instances: instancesOf(store, row.id).map(({ instanceId }) => ({ Id: instanceId })),
          LaunchConfigurations: named(launchConfigurationName),
          LaunchTemplates: [],
          // AWS: an Application Load Balancer is named by its ARN, a classic one by its name; `eb` tells the kinds apart by that.
          LoadBalancers: named(loadBalancerName ?? loadBalancerArn),
          Triggers: triggersOf(resources).map((Name) => ({ Name })),
          Queues: [],
        },
      }
    },
  }
}

const named = (name: string | undefined) => (name === undefined ? [] : [{ Name: name }])
