// Workflows: where order is the meaning (design §2.5). A workflow is a plain synchronous function of named steps that is
// run from its first line each time; a saved step answers what it saved. A step is one transaction together with its
// effect on rows, so log and effect cannot disagree. Workflows call operations, never engines.
import type { Clock } from '../kernel/clock.ts'
import { reasonOf } from '../kernel/errors.ts'
import type { Log } from '../kernel/log.ts'
import { isStoreFailure, type Migration, type Store } from '../store/store.ts'
import type { Reconciler } from './reconciler.ts'

export const workflowsMigration: Migration = {
  id: 'control.1.workflow',
  sql: `
    create table workflow_run (
      id text primary key, kind text not null, version integer not null, subject text not null, params text not null,
      state text not null check (state in ('running', 'undoing', 'done', 'failed')),
      failure text, started_at integer not null, ended_at integer) strict;
    create index workflow_run_active on workflow_run (state) where state in ('running', 'undoing');
    create table workflow_step (
      run_id text not null references workflow_run (id) on delete cascade, name text not null,
      state text not null check (state in ('done', 'waiting', 'undone')), output text not null, started_at integer not null,
      primary key (run_id, name)) strict;`,
}

export type Step = {
  /** Runs `action` once, in one transaction with the step's own row; later calls answer its saved (JSON) output. */
  do<T>(name: string, action: () => T, undo?: (output: T) => void): T
  /** Parks the run until `probe` answers something else than undefined; that value is saved and answered.
   *  When `timeoutMs` is over, answers `onTimeout()` if given, and else fails the run. */
  until<T>(name: string, probe: () => T | undefined, limits: { timeoutMs: number; onTimeout?: () => T }): T
  /** When the step of that name began, epoch ms. */
  startedAt(name: string): number
}

export type Workflow<P = never> = {
  kind: string
  /** A run of another version is undone and reported: raise it when steps change their meaning. */
  version: number
  run(step: Step, params: P): void
  /** Called in a transaction when the run failed and was undone. It says so to the user (events, states). */
  failed?(params: P, failure: string): void
}

export type Run = {
  id: string
  kind: string
  version: number
  subject: string
  params: string
  state: 'running' | 'undoing' | 'done' | 'failed'
  failure: string | null
  startedAt: number
  endedAt: number | null
}

type StepRow = { state: 'done' | 'waiting' | 'undone'; output: string; startedAt: number }

class Parked extends Error {}

/** As long as AWS keeps a terminated environment for RebuildEnvironment, and scaling activities. */
const ENDED_KEPT_MS = 42 * 24 * 3600_000
const ENDED_MAX = 10_000
const PRUNE_EVERY_MS = 3600_000

export type Workflows = {
  /** Writes the run; call it inside the operation's transaction. `subject` is what it works on (an environment id). */
  start(kind: string, subject: string, params: unknown): string
  active(subject: string): Run[]
  /** Ends a run where it stands, without undo: for work whose subject is going away. */
  cancel(id: string, reason: string): void
  reconciler: Reconciler
  /** Moves every waiting deadline: the time that passed while the machine slept counts for nobody. */
  shiftDeadlines(ms: number): void
}

type Deps = { clock: Clock; log: Log; store: Store; newId: () => string }

export function makeWorkflows(
  { clock, log, store, newId }: Deps,
  definitions: () => Workflow<never>[],
): Workflows {
  const stepRow = (runId: string, name: string) =>
    store.get<StepRow>('select * from workflow_step where run_id = :runId and name = :name', { runId, name })
  const save = (
    runId: string,
    name: string,
    state: StepRow['state'],
    output: unknown,
    startedAt = clock.now(),
  ) => store.put('workflow_step', { runId, name, state, output: JSON.stringify(output ?? null), startedAt })

  function advance(run: Run) {
    const workflow = definitions().find((one) => one.kind === run.kind)
    const params = JSON.parse(run.params) as never
    const undos: { name: string; undo: () => void }[] = []
    const finish = (state: 'done' | 'failed', failure: string | null) =>
      store.transaction(() => {
        store.update('workflow_run', { id: run.id }, { state, failure, endedAt: clock.now() })
        if (state === 'failed') workflow?.failed?.(params, failure ?? '')
      })
    if (!workflow) return finish('failed', `no workflow of kind ${run.kind}`)

    const step: Step = {
      do(name, action, undo) {
        const row = stepRow(run.id, name)
        if (!row && run.state === 'undoing') throw new Error(run.failure ?? '')
        const output = row
          ? (JSON.parse(row.output) as ReturnType<typeof action>)
          : store.transaction(() => {
              const value = action()
              save(run.id, name, 'done', value)
              return value
            })
        if (undo && row?.state !== 'undone') undos.push({ name, undo: () => undo(output) })
        return output
      },
      until(name, probe, { timeoutMs, onTimeout }) {
        const row = stepRow(run.id, name)
        if (row?.state === 'done') return JSON.parse(row.output)
        if (run.state === 'undoing') throw new Error(run.failure ?? '')
        const startedAt = row?.startedAt ?? clock.now()
        if (!row) save(run.id, name, 'waiting', null, startedAt)
        return store.transaction(() => {
          let value = probe()
          if (value === undefined && clock.now() - startedAt >= timeoutMs) {
            if (!onTimeout) throw new Error(`${name}: not within ${timeoutMs / 1000} seconds`)
            value = onTimeout()
          }
          if (value === undefined) throw new Parked()
          save(run.id, name, 'done', value, startedAt)
          return value
        })
      },
      startedAt: (name) => stepRow(run.id, name)?.startedAt ?? clock.now(),
    }

    const beginUndo = (failure: string, error?: unknown) => {
      log.warn('workflow failed', { run: run.id, kind: run.kind, subject: run.subject, failure, error })
      store.update('workflow_run', { id: run.id }, { state: 'undoing', failure })
      run = { ...run, state: 'undoing', failure }
    }
    try {
      if (run.version !== workflow.version && run.state === 'running')
        beginUndo(`this run was begun by version ${run.version} of the workflow; it is undone`)
      // When it is to be undone, this only finds out what was done.
      workflow.run(step, params)
      if (run.state === 'running') return finish('done', null)
    } catch (error) {
      if (error instanceof Parked) return undefined
      // A full disk is no failure of the work: it goes on when there is room.
      if (isStoreFailure(error)) throw error
      if (run.state === 'running') beginUndo(reasonOf(error), error)
    }
    for (const { name, undo } of undos.reverse())
      store.transaction(() => {
        undo()
        store.update('workflow_step', { runId: run.id, name }, { state: 'undone' })
      })
    return finish('failed', run.failure)
  }

  const activeRuns = () =>
    store.all<Run>(`select * from workflow_run where state in ('running', 'undoing') order by started_at, id`)

  let brokenBefore: string[] = []
  let prunedAt: number | undefined
  // Steps go with their runs.
  function prune(): number {
    if (prunedAt !== undefined && clock.monotonic() - prunedAt < PRUNE_EVERY_MS) return 0
    prunedAt = clock.monotonic()
    const old = store.run('delete from workflow_run where ended_at <= :until', {
      until: clock.now() - ENDED_KEPT_MS,
    })
    const many = store.run(
      `delete from workflow_run where rowid in (
         select rowid from workflow_run where ended_at is not null order by ended_at desc limit -1 offset :most)`,
      { most: ENDED_MAX },
    )
    return old + many
  }

  return {
    start(kind, subject, params) {
      const version = definitions().find((one) => one.kind === kind)?.version
      if (version === undefined) throw new Error(`no workflow of kind ${kind}`)
      const id = newId()
      const row = {
        id,
        kind,
        version,
        subject,
        params: JSON.stringify(params),
        state: 'running',
        startedAt: clock.now(),
      }
      store.insert('workflow_run', row)
      return id
    },
    active: (subject) => activeRuns().filter((run) => run.subject === subject),
    cancel: (id, reason) =>
      void store.update(
        'workflow_run',
        { id, state: 'running' },
        { state: 'failed', failure: reason, endedAt: clock.now() },
      ),
    shiftDeadlines: (ms) =>
      void store.run(`update workflow_step set started_at = started_at + :ms where state = 'waiting'`, {
        ms,
      }),
    reconciler: {
      name: 'control.workflows',
      everyMs: 1_000,
      wakes: ['*'],
      // eslint-disable-next-line -- a pass is synchronous by design
      async reconcile() {
        const pruned = prune()
        const runs = activeRuns()
        const broken: string[] = []
        for (const run of runs) {
          try {
            advance(run)
          } catch (error) {
            const what = `${run.kind} ${run.subject}: ${reasonOf(error)}`
            broken.push(what)
            if (!brokenBefore.includes(what))
              log.error('workflow cannot go on', { run: run.id, kind: run.kind, error })
          }
        }
        brokenBefore = broken
        return { active: runs.length, broken, pruned }
      },
    },
  }
}
