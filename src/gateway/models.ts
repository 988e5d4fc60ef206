// The models of the services that the gateway speaks, read when first used.
import { table as acm } from './generated/acm.ts'
import { table as autoscaling } from './generated/autoscaling.ts'
import { table as cloudwatch } from './generated/cloudwatch.ts'
import { table as ec2 } from './generated/ec2.ts'
import { table as elasticbeanstalk } from './generated/elasticbeanstalk.ts'
import { table as elasticloadbalancing } from './generated/elasticloadbalancing.ts'
import { table as elasticloadbalancingv2 } from './generated/elasticloadbalancingv2.ts'
import { table as iam } from './generated/iam.ts'
import { table as logs } from './generated/logs.ts'
import { table as route53 } from './generated/route53.ts'
import { table as s3 } from './generated/s3.ts'
import { table as sts } from './generated/sts.ts'
import { readModel, type ServiceModel } from './model.ts'

const tables = {
  acm,
  elasticbeanstalk,
  autoscaling,
  cloudwatch,
  ec2,
  elasticloadbalancing,
  elasticloadbalancingv2,
  logs,
  route53,
  s3,
  iam,
  sts,
}
export type ServiceName = keyof typeof tables

const read = new Map<string, ServiceModel>()

export const isServiceName = (name: string): name is ServiceName => Object.hasOwn(tables, name)

export function modelOf(service: ServiceName): ServiceModel {
  const known = read.get(service)
  if (known) return known
  const model = readModel(tables[service])
  read.set(service, model)
  return model
}
