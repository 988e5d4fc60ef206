// What every file of this service is handed.
import type { ComputeEngine } from '../../engines/compute/engine.ts'
import type { ObjectEngine } from '../../engines/objects/engine.ts'
import type { RoomEngine } from '../../engines/room/engine.ts'
import type { inspectBundle } from '../../platforms/bundle.ts'
import type { Catalogue } from '../../platforms/catalogue.ts'
import type { BuildConfiguration } from '../../platforms/plan.ts'
import { DEFAULT_BUDGETS } from '../budgets.ts'
import type { Context } from '../context.ts'
import type { ServiceDeps } from '../service.ts'
import type { Setting } from './configuration/types.ts'
import type { Events } from './events.ts'
import type { SystemFigures } from './system-figures.ts'

export type ElasticbeanstalkDeps = ServiceDeps & {
  /** Only to build and remove layers, to see which are there, to read and follow logs and how busy instances are. */
  compute: Pick<ComputeEngine, 'build' | 'layers' | 'removeLayer' | 'read' | 'follow' | 'stats'>
  /** `path` of a bundle for builds; `put` for the texts of logs. */
  objects: Pick<ObjectEngine, 'path'>
  room: RoomEngine
  catalogue: Catalogue
  /** Looks into a source bundle; the real one unless a simulation has no files. */
  inspect?: typeof inspectBundle
  /** What the machine's owner configured for pip and npm. Read anew for each plan. Without it: nothing. */
  buildConfiguration?: () => BuildConfiguration
  /** Environments at once, as the home's owner allows; null or absent = as many as there are loopback ports. */
  environmentsMax?: () => number | null
  /** `http`: where public listeners of port 80 really listen; `environments`: first of the loopback ports. */
  ports: { http: number; environments: number }
  /** A URL by which its holder may GET the object for a while. */
  presign(context: Context, bucket: string, key: string, expiresSeconds: number): string
}

export type Template = { settings: Setting[]; solutionStackName: string; platformArn: string }

export type Parts = ElasticbeanstalkDeps & {
  events: Events
  system: SystemFigures
  /** The saved configuration of that name; undefined when no name is given.
   *  @throws DeclaredError `No Configuration Template named 'app/X' found.` */
  findTemplate(context: Context, application: string, name: string | undefined): Template | undefined
}

export const budgetsOf = ({ budgets }: Pick<Parts, 'budgets'>) => budgets?.() ?? DEFAULT_BUDGETS
