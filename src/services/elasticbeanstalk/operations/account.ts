import type { ElasticbeanstalkOperations } from '../../generated/elasticbeanstalk.ts'

/** AWS's default quotas ("Elastic Beanstalk endpoints and quotas"), which are the limits here, too; custom platforms
 *  cannot be made here. */
export function makeAccountOperations(): Pick<ElasticbeanstalkOperations, 'describeAccountAttributes'> {
  return {
    describeAccountAttributes: () => ({
      ResourceQuotas: {
        ApplicationQuota: { Maximum: 75 },
        ApplicationVersionQuota: { Maximum: 1000 },
        EnvironmentQuota: { Maximum: 200 },
        ConfigurationTemplateQuota: { Maximum: 2000 },
        CustomPlatformQuota: { Maximum: 0 },
      },
    }),
  }
}
