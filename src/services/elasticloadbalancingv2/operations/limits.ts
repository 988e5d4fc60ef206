// The quotas that operations hold, by the names that AWS gives them.
import { pageOf, refuseOthers } from '../../parameters.ts'
import type { Elasticloadbalancingv2Operations } from '../../generated/elasticloadbalancingv2.ts'
import { paging, unsupported } from '../errors.ts'
import { CERTIFICATES_MAX } from './certificates.ts'
import { LISTENERS_MAX } from './listeners.ts'
import { LOAD_BALANCERS_MAX } from './load-balancers.ts'
import { RULES_MAX } from './rules.ts'
import { TARGET_GROUPS_MAX } from './target-groups.ts'
import { TARGETS_MAX } from './targets.ts'
import { CONDITION_VALUES_MAX, WILDCARDS_MAX } from '../conditions.ts'
import { TARGET_GROUPS_OF_ACTION_MAX } from '../actions.ts'
import { TARGET_GROUPS_OF_LOAD_BALANCER_MAX } from '../uses.ts'

const LIMITS: Record<string, number> = {
  'application-load-balancers': LOAD_BALANCERS_MAX,
  'network-load-balancers': LOAD_BALANCERS_MAX,
  'listeners-per-network-load-balancer': LISTENERS_MAX,
  'target-groups': TARGET_GROUPS_MAX,
  'listeners-per-application-load-balancer': LISTENERS_MAX,
  'rules-per-application-load-balancer': RULES_MAX,
  'certificates-per-application-load-balancer': CERTIFICATES_MAX,
  'targets-per-target-group': TARGETS_MAX,
  'target-groups-per-action-on-application-load-balancer': TARGET_GROUPS_OF_ACTION_MAX,
  'target-groups-per-application-load-balancer': TARGET_GROUPS_OF_LOAD_BALANCER_MAX,
  'condition-values-per-alb-rule': CONDITION_VALUES_MAX,
  'condition-wildcards-per-alb-rule': WILDCARDS_MAX,
}

export const limitOperations: Pick<Elasticloadbalancingv2Operations, 'describeAccountLimits'> = {
  describeAccountLimits(_context, input) {
    refuseOthers(input, ['Marker', 'PageSize'], unsupported)
    const asked = { token: input.Marker, max: input.PageSize }
    const page = pageOf(Object.entries(LIMITS), ([name]) => name, asked, paging)
    return {
      Limits: page.items.map(([Name, most]) => ({ Name, Max: String(most) })),
      NextMarker: page.next,
    }
  },
}
