// Which bodies are garbage. Pure.

export type SweepAction =
  | { what: 'remove-body'; bodyId: string }
  /** A body that nothing names: its grace begins now. */
  | { what: 'note-garbage'; bodyId: string }
  /** Garbage that is named again (a copy shares it), or that is gone already. */
  | { what: 'forget-garbage'; bodyId: string }

export type SweepObserved = {
  /** Every body that the engine has. */
  bodies: string[]
  /** Bodies that a row names. */
  referenced: ReadonlySet<string>
  garbage: { bodyId: string; since: number }[]
  underWay: ReadonlySet<string>
  now: number
  graceMs: number
}

export function planSweep({
  bodies,
  referenced,
  garbage,
  underWay,
  now,
  graceMs,
}: SweepObserved): SweepAction[] {
  const kept = new Set(bodies)
  const noted = new Set(garbage.map(({ bodyId }) => bodyId))
  const actions: SweepAction[] = []
  for (const { bodyId, since } of garbage) {
    if (referenced.has(bodyId) || !kept.has(bodyId)) actions.push({ what: 'forget-garbage', bodyId })
    // A clock that was set back makes a grace longer, never shorter.
    else if (now - since >= graceMs) actions.push({ what: 'remove-body', bodyId })
  }
  for (const bodyId of bodies)
    if (!referenced.has(bodyId) && !noted.has(bodyId) && !underWay.has(bodyId))
      actions.push({ what: 'note-garbage', bodyId })
  return actions
}
