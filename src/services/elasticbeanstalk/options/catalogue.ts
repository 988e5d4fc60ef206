// All options, and how one is found by the namespace and the name that a caller wrote.
import { autoscalingOptions } from './autoscaling.ts'
import { ec2Options } from './ec2.ts'
import { environmentOptions } from './environment.ts'
import { loadbalancingOptions } from './loadbalancing.ts'
import { managementOptions } from './management.ts'
import type { Namespace, Option } from './option.ts'

/** Sorted by name. The Kubernetes namespaces (`aws:elasticbeanstalk:eks*`) are unknown here, as for AWS's EC2 tiers. */
export const namespaces: Namespace[] = [
  ...autoscalingOptions,
  ...ec2Options,
  ...environmentOptions,
  ...loadbalancingOptions,
  ...managementOptions,
].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))

export const ENVIRONMENT_PROPERTIES = 'aws:elasticbeanstalk:application:environment'
export const STATIC_FILES = 'aws:elasticbeanstalk:environment:proxy:staticfiles'

export type FoundOption = {
  namespace: Namespace
  option: Option
  /** The namespace in AWS's spelling, with the name of the thing (`aws:elbv2:listener:443`). */
  namespaceName: string
  /** True when the namespace takes options of any name. */
  anyName: boolean
}

/** The option, or undefined when AWS answers "Unknown configuration setting". Namespaces are compared without case. */
export function findOption(
  platform: string,
  namespaceName: string,
  optionName: string,
): FoundOption | undefined {
  const found = findNamespace(platform, namespaceName)
  if (!found) return undefined
  const option = optionsOf.get(found.namespace)?.get(optionName)
  if (option) return { ...found, option, anyName: false }
  const { anyName } = found.namespace
  if (!anyName) return undefined
  return { ...found, option: { ...anyName, name: optionName }, anyName: true }
}

function findNamespace(platform: string, asked: string) {
  const lower = asked.toLowerCase()
  const here = (each: Namespace) => each.platform === undefined || each.platform === platform
  const exact = exactly.get(lower)
  if (exact) return here(exact) ? { namespace: exact, namespaceName: exact.name } : undefined
  const namespace = named.find((each) => here(each) && isNamedIn(each, lower))
  return namespace && { namespace, namespaceName: namespace.name + asked.slice(namespace.name.length) }
}

const exactly = new Map(
  namespaces.filter((each) => each.named === undefined).map((each) => [each.name, each]),
)
const named = namespaces.filter((each) => each.named !== undefined)
const optionsOf = new Map(
  namespaces.map((each) => [each, new Map(each.options.map((option) => [option.name, option]))]),
)

function isNamedIn({ name, named: what }: Namespace, lower: string): boolean {
  if (!lower.startsWith(`${name}:`)) return false
  const rest = lower.slice(name.length + 1)
  return what === 'PORT' ? /^[1-9]\d{0,4}$/.test(rest) : /^[a-z0-9_.-]{1,128}$/.test(rest)
}
