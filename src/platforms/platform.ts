// The platforms' only door for services: bundle and configuration in, plan out (plan.ts says what to do with it);
// and what a failure said, put into words.
import type { Plan, PlanProblem } from './plan.ts'
import { planNodejs } from './nodejs/plan.ts'
import { planPython, type PlanInput } from './python/plan.ts'

export { eventText, explainBuild } from './explain-build.ts'
export { explainStart } from './explain-start.ts'
export type { PlanInput }

/** Pure. A problem is a plain sentence for the user: the bundle or its configuration cannot run. */
export function planVersion(input: PlanInput): Plan | PlanProblem {
  return input.stack.runtime.family === 'python' ? planPython(input) : planNodejs(input)
}
