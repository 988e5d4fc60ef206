import { DeclaredError } from '../../../kernel/errors.ts'
import { pageOf, refuseOthers } from '../../parameters.ts'
import type { Context } from '../../context.ts'
import type { Elasticloadbalancingv2Operations } from '../../generated/elasticloadbalancingv2.ts'
import { requireListener, type Elbv2Deps } from '../deps.ts'
import { missing, paging, unsupported, validation } from '../errors.ts'
import { certificatesOf, requireCertificates } from '../secure.ts'
import { describeSslPolicies, versionsOf } from '../ssl-policies.ts'
import { listenersOf, type ListenerRow } from '../store.ts'

type Implemented = Pick<
  Elasticloadbalancingv2Operations,
  | 'addListenerCertificates'
  | 'removeListenerCertificates'
  | 'describeListenerCertificates'
  | 'describeSSLPolicies'
>

/** AWS: 25 per load balancer, without default certificates. */
export const CERTIFICATES_MAX = 25

export function makeCertificateOperations(deps: Elbv2Deps): Implemented {
  const { store } = deps
  return {
    addListenerCertificates(context, input) {
      refuseOthers(input, ['ListenerArn', 'Certificates'], unsupported)
      const row = requireSecured(context, input.ListenerArn)
      if (!input.Certificates?.length) throw missing('certificates')
      const added = requireCertificates(deps, context, input.Certificates)
      const all = [...new Set([...certificatesOf(row), ...added])]
      const others = listenersOf(store, context)
        .filter((one) => one.loadBalancerArn === row.loadBalancerArn && one.arn !== row.arn)
        .flatMap((one) => certificatesOf(one).slice(1))
      if (all.length - 1 + others.length > CERTIFICATES_MAX)
        throw new DeclaredError(
          'TooManyCertificates',
          `The maximum number of certificates (${CERTIFICATES_MAX}) of a load balancer has been reached`,
        )
      store.update('elbv2_listener', { arn: row.arn }, { certificates: JSON.stringify(all) })
      return {
        Certificates: added.map((arn) => ({ CertificateArn: arn, IsDefault: arn === all[0] })),
      }
    },
    // AWS answers success for one that is not there.
    removeListenerCertificates(context, input) {
      refuseOthers(input, ['ListenerArn', 'Certificates'], unsupported)
      const row = requireSecured(context, input.ListenerArn)
      if (!input.Certificates?.length) throw missing('certificates')
      const [own, ...others] = certificatesOf(row)
      const removed = input.Certificates.map((one) => one.CertificateArn)
      if (removed.includes(own))
        throw new DeclaredError('OperationNotPermitted', `Default certificate '${own}' cannot be removed`)
      const certificates = JSON.stringify([own, ...others.filter((arn) => !removed.includes(arn))])
      store.update('elbv2_listener', { arn: row.arn }, { certificates })
      return {}
    },
    describeListenerCertificates(context, input) {
      refuseOthers(input, ['ListenerArn', 'Marker', 'PageSize'], unsupported)
      const row = requireListener(deps, context, input.ListenerArn)
      const all = certificatesOf(row)
      const page = pageOf(all, (arn) => arn, { token: input.Marker, max: input.PageSize }, paging)
      return {
        Certificates: page.items.map((arn) => ({ CertificateArn: arn, IsDefault: arn === all[0] })),
        NextMarker: page.next,
      }
    },
    describeSSLPolicies(_context, input) {
      refuseOthers(input, ['Names', 'Marker', 'PageSize', 'LoadBalancerType'], unsupported)
      const wrong = input.Names?.find((name) => !versionsOf(name))
      if (wrong !== undefined) throw new DeclaredError('SSLPolicyNotFound', `SSL policy '${wrong}' not found`)
      const found = describeSslPolicies().filter(
        ({ Name }) => !input.Names?.length || input.Names.includes(Name!),
      )
      const page = pageOf(found, ({ Name }) => Name!, { token: input.Marker, max: input.PageSize }, paging)
      return { SslPolicies: page.items, NextMarker: page.next }
    },
  }

  function requireSecured(context: Context, arn: string | undefined): ListenerRow {
    const row = requireListener(deps, context, arn)
    if (row.protocol !== 'HTTPS')
      throw validation(
        `Certificates can only be specified for HTTPS listeners; '${arn}' speaks ${row.protocol}`,
      )
    return row
  }
}
