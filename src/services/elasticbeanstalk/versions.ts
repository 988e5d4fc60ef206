// Looks into source bundles, so that a bad one is known by its reason before it is deployed.
import type { Reconciler } from '../../control/reconciler.ts'
import { inspectBundle } from '../../platforms/bundle.ts'
import { systemContext } from '../service.ts'
import { ofVersion } from './events.ts'
import type { Parts } from './parts.ts'
import type { ApplicationVersionRow } from './store.ts'

export function makeVersionsReconciler(parts: Parts): Reconciler {
  const { store } = parts
  const name = 'elasticbeanstalk.versions'
  const lanes = parts.makeLanes(name, INSPECTIONS_AT_ONCE)
  return {
    name,
    everyMs: 60_000,
    wakes: ['application_version'],
    // eslint-disable-next-line -- the pass itself is synchronous: it hands its work to lanes
    async reconcile() {
      const rows = store.all<ApplicationVersionRow>(
        `select * from application_version where status = 'PROCESSING' order by created_at`,
      )
      lanes.submit(
        rows.map((row) => ({
          what: 'inspect',
          lane: `version/${row.region}/${row.applicationName}/${row.label}`,
          timeoutMs: 120_000,
          perform: async (signal) => finish(parts, row, await inspect(parts, row, signal)),
        })),
      )
      return { processing: rows.length }
    },
  }
}

type Found = { inspection: string } | { problem: string }

async function inspect(
  { cloud, objects, inspect: look = inspectBundle }: Parts,
  row: ApplicationVersionRow,
  signal: AbortSignal,
): Promise<Found> {
  const where = `s3://${row.bucket}/${row.key}`
  const context = systemContext(row.account, row.region, row.requestId)
  const body = cloud.s3.objectBody(context, row.bucket ?? '', row.key ?? '')
  if (body?.sha256Hex !== row.sha256Hex)
    return { problem: `The source bundle ${where} was changed or deleted before it was processed.` }
  const found = await look(objects.path(body.id), signal)
  if (found.kind === 'problem') return { problem: found.problem }
  if (found.unsupported.length > 0) return { problem: unsupportedText(found.unsupported) }
  return { inspection: JSON.stringify(found) }
}

function finish({ store, events, clock }: Parts, row: ApplicationVersionRow, found: Found): void {
  const { account, region, applicationName, label } = row
  store.transaction(() => {
    const failed = 'problem' in found
    const set = failed
      ? { status: 'FAILED', reason: found.problem }
      : { status: 'PROCESSED', inspection: found.inspection }
    const where = { account, region, applicationName, label, status: 'PROCESSING', createdAt: row.createdAt }
    if (store.update('application_version', where, { ...set, updatedAt: clock.now() }) === 0) return
    if (failed) events.write(ofVersion(row), 'ERROR', found.problem)
    if (!failed && !row.process) return
    const outcome = failed ? 'FAILED' : 'PROCESSED'
    const text = `Finished processing application version ${label}. Version status: ${outcome}.`
    events.write(ofVersion(row), failed ? 'ERROR' : 'INFO', text)
  })
}

const unsupportedText = (paths: string[]) =>
  `The bundle holds ${paths.slice(0, 5).join(', ')}${paths.length > 5 ? ` and ${paths.length - 5} more` : ''}: ` +
  'Polebean does not act on such files yet, so it refuses the bundle rather than deploying it only in part.'

const INSPECTIONS_AT_ONCE = 4
