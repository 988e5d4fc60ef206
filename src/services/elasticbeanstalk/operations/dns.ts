import type { ElasticbeanstalkOperations } from '../../generated/elasticbeanstalk.ts'
import { cnameOf } from '../names.ts'
import type { Parts } from '../parts.ts'
import { isPrefixFree } from '../prefix.ts'
import { checkCnamePrefix, invalidValue } from '../validation.ts'

export function makeDnsOperations(parts: Parts): Pick<ElasticbeanstalkOperations, 'checkDNSAvailability'> {
  return {
    checkDNSAvailability(context, { CNAMEPrefix }) {
      if (CNAMEPrefix === undefined) throw invalidValue('CNAMEPrefix is required.')
      checkCnamePrefix(CNAMEPrefix)
      const prefix = CNAMEPrefix.toLowerCase()
      return {
        Available: isPrefixFree(parts, context, prefix),
        FullyQualifiedCNAME: cnameOf({ cnamePrefix: prefix, region: context.region }, parts.domain),
      }
    },
  }
}
