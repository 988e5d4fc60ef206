import type { ElasticbeanstalkOperations } from '../../generated/elasticbeanstalk.ts'
import { cnameOf } from '../names.ts'
import type { Parts } from '../parts.ts'
import { checkCnamePrefix, invalidValue } from '../validation.ts'

export function makeDnsOperations({
  store,
  domain,
}: Parts): Pick<ElasticbeanstalkOperations, 'checkDNSAvailability'> {
  return {
    checkDNSAvailability(context, { CNAMEPrefix }) {
      if (CNAMEPrefix === undefined) throw invalidValue('CNAMEPrefix is required.')
      checkCnamePrefix(CNAMEPrefix)
      const prefix = CNAMEPrefix.toLowerCase()
      const taken = store.get(
        'select 1 from environment where region = :region and cname_prefix = :prefix and terminated_at is null',
        { region: context.region, prefix },
      )
      return {
        Available: taken === undefined,
        FullyQualifiedCNAME: cnameOf({ cnamePrefix: prefix, region: context.region }, domain),
      }
    },
  }
}
