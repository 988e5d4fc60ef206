// What every file of this service is handed.
import type { ComputeEngine } from '../../engines/compute/engine.ts'
import type { ObjectEngine } from '../../engines/objects/engine.ts'
import type { Context } from '../context.ts'
import type { ServiceDeps } from '../service.ts'
import type { Events } from './events.ts'

export type ElasticbeanstalkDeps = ServiceDeps & {
  /** Only to build layers and to see which are there. */
  compute: Pick<ComputeEngine, 'build' | 'layers'>
  objects: Pick<ObjectEngine, 'path'>
  /** Environments are named `<prefix>.<region>.<domain>`. */
  domain: string
  /** `http`: where public listeners of port 80 really listen; `environments`: first of the loopback ports. */
  ports: { http: number; environments: number }
  /** A URL by which anybody may GET the object for a while. */
  presign(context: Context, bucket: string, key: string, expiresSeconds: number): string
}

export type Parts = ElasticbeanstalkDeps & { events: Events }
