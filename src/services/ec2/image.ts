// The one image: the host's own /usr, which instances see read-only (design §4, compute).
import { createHash } from 'node:crypto'
import type { Context } from '../context.ts'

export const IMAGE_NAME = 'polebean-host'
/** What an instance runs whose software nobody has said. */
export const PLAIN_PLATFORM = { name: 'host', version: '1' }
/** AWS's root device of Amazon Linux 2023, and the size that Beanstalk's platforms give it. */
export const ROOT_DEVICE = '/dev/xvda'
export const ROOT_BYTES = 10 * 2 ** 30
export const ROOT_GIB_MAX = 1_024

export const imageIdOf = ({ account, region }: Pick<Context, 'account' | 'region'>) =>
  `ami-${createHash('sha256').update(`${account}/${region}/${IMAGE_NAME}`).digest('hex').slice(0, 17)}`
