// EC2: instances, their addresses and security groups. The operation table; what runs is the reconciler's (§2.1).
import type { ComputeEngine } from '../../engines/compute/engine.ts'
import type { FirewallEngine } from '../../engines/firewall/engine.ts'
import type { Ec2Internal } from '../cloud.ts'
import type { Context } from '../context.ts'
import type { Store } from '../../store/store.ts'
import type { Service, ServiceDeps } from '../service.ts'
import type { Ec2Deps } from './deps.ts'
import { makeElasticAddresses } from './elastic-addresses.ts'
import { makeEnforcer, makeFirewallReconciler, readClientRules } from './firewall.ts'
import { firewallReport, type FirewallReport } from './firewall-report.ts'
import { keptLogs, keptLogText, removeKeptLogs } from './kept-logs.ts'
import { makeMetadataAnswers } from './metadata/answer.ts'
import { makeMemoryReconciler, shortOfMemory } from './memory.ts'
import { makeMetricsReconciler } from './metrics.ts'
import { makeNetwork, type Network } from './network.ts'
import { makeAddressOperations } from './operations/addresses.ts'
import { makeGatewayOperations } from './operations/gateways.ts'
import { makeImageOperations } from './operations/images.ts'
import { makeInstanceAttributeOperations } from './operations/instance-attributes.ts'
import { makeInstanceOperations } from './operations/instances.ts'
import { makeKeyPairOperations } from './operations/key-pairs.ts'
import { makeLaunchTemplateVersionOperations } from './operations/launch-template-versions.ts'
import { makeLaunchTemplateOperations } from './operations/launch-templates.ts'
import { makeMetadataOptionsOperations } from './operations/metadata-options.ts'
import { makeModifyRuleOperations } from './operations/modify-security-group-rules.ts'
import { makeNetworkInterfaceOperations } from './operations/network-interfaces.ts'
import { makeNetworkOperations } from './operations/network.ts'
import { makeRunInstances } from './operations/run-instances.ts'
import { makeSecurityGroupRuleOperations } from './operations/security-group-rules.ts'
import { makeSecurityGroupOperations } from './operations/security-groups.ts'
import { makeSoftwareOperations } from './operations/software.ts'
import { makeTagOperations } from './operations/tags.ts'
import { heeding } from './parameters.ts'
import { requireRunning } from './require-running.ts'
import { makeInstancesReconciler } from './reconcilers.ts'
import { generationOf } from './store.ts'

/** What the operator of the home asks. */
type OperatorInternal = {
  firewallReport(): Promise<FirewallReport>
  requireRunning(instanceId: string): void
}

export function makeEc2Service(
  deps: ServiceDeps,
  compute: ComputeEngine,
  firewall: FirewallEngine,
  instancesMax: () => number | null = () => null,
) {
  const { store, clock, ids } = deps
  if (!generationOf(store)) store.insert('home_generation', { id: ids.uuid() })

  const networks = new Map<string, Network>()
  const networkOf = ({ account, region }: Pick<Context, 'account' | 'region'>) => {
    const key = `${account}/${region}`
    const network = networks.get(key) ?? makeNetwork(compute.network(), account, region)
    networks.set(key, network)
    return network
  }
  forgetOtherNetworks(store, networkOf(deps).vpcId)
  const parts: Ec2Deps = {
    store,
    clock,
    ids,
    instancesMax,
    networkOf,
    ...(deps.budgets ? { budgets: deps.budgets } : {}),
  }

  const enforcer = makeEnforcer(deps, firewall)
  const operations = heeding(store, {
    ...makeNetworkOperations(parts),
    ...makeGatewayOperations(parts),
    ...makeImageOperations(parts),
    ...makeSecurityGroupOperations(parts),
    ...makeSecurityGroupRuleOperations(parts),
    ...makeModifyRuleOperations(parts),
    ...makeNetworkInterfaceOperations(parts),
    ...makeRunInstances(parts),
    ...makeInstanceOperations(parts),
    ...makeInstanceAttributeOperations(parts),
    ...makeMetadataOptionsOperations(parts),
    ...makeKeyPairOperations(parts),
    ...makeLaunchTemplateOperations(parts),
    ...makeLaunchTemplateVersionOperations(parts),
    ...makeAddressOperations(parts),
    ...makeTagOperations(parts),
  })
  return {
    operations,
    internal: {
      ...makeSoftwareOperations(parts),
      ...makeElasticAddresses(parts),
      metadata: makeMetadataAnswers(parts),
      clientRules: () => readClientRules(store),
      requireRunning: (instanceId: string) => requireRunning(store, instanceId),
      firewallReport: () => firewallReport(deps, firewall, compute.network().cidr),
      instancesShortOfMemory: () => shortOfMemory(store),
      keptLogs: () => keptLogs(store),
      keptLogText: (instanceId) => keptLogText(store, instanceId),
      removeKeptLogs: (bytesMax) => removeKeptLogs({ store, clock }, bytesMax),
    },
    reconcilers: [
      makeFirewallReconciler(enforcer),
      makeInstancesReconciler(deps, compute, enforcer.enforce),
      makeMemoryReconciler(deps, compute),
      makeMetricsReconciler(deps, compute),
    ],
    workflows: [],
  } satisfies Service<typeof operations, Ec2Internal & OperatorInternal>
}

// The default group of a range that the home had before its configuration gave it another one.
function forgetOtherNetworks(store: Store, vpcId: string): void {
  store.transaction(() => {
    store.run(
      `delete from ec2_tag where resource_id in (
         select id from ec2_security_group where vpc_id <> :vpcId
         union select r.id from ec2_security_group_rule r join ec2_security_group g on g.id = r.group_id
           where g.vpc_id <> :vpcId)`,
      { vpcId },
    )
    store.run(
      `delete from ec2_security_group_rule
       where group_id in (select id from ec2_security_group where vpc_id <> :vpcId)`,
      { vpcId },
    )
    store.run('delete from ec2_security_group where vpc_id <> :vpcId', { vpcId })
  })
}
