// Seeded bugs: each replaces one expression of the product, and must be caught by the simulator. `by` says where: seeds
// of play.ts or identity.ts, a sweep of crash points, or one that terminates the environment at each gate (sweep.ts).
export type Mutant = {
  bug: string
  file: string
  /** Occurs exactly once in the file. */
  find: string
  replace: string
  by: 'seeds' | 'identity' | `sweep: ${string}` | `terminate: ${string}`
}

export const MUTANTS: Mutant[] = [
  {
    bug: 'acts on an unknown instance at once',
    file: 'src/services/ec2/plan.ts',
    find: `if (downMs > UNKNOWN_GRACE_MS) return giveUp(`,
    replace: `if (downMs >= 0) return giveUp(`,
    by: 'identity',
  },
  {
    bug: 'counts time in which the machine slept as time in which an instance was down',
    file: 'src/services/ec2/reconcilers.ts',
    find: `if (jumped())\n`,
    replace: `if (jumped() && false)\n`,
    by: 'identity',
  },
  {
    bug: 'counts the time in which layers are built again as time in which an instance was down',
    file: 'src/services/ec2/reconcilers.ts',
    find: `const lacksLayers = layers !== undefined &&`,
    replace: `const lacksLayers = false && layers !== undefined &&`,
    by: 'identity',
  },
  {
    bug: 'does not move deadlines by the time that the machine slept',
    file: 'src/control/heartbeat.ts',
    find: `      shiftDeadlines(jumpedMs)\n`,
    replace: `\n`,
    by: 'identity',
  },
  {
    bug: 'tries what failed again at once',
    file: 'src/control/lanes.ts',
    find: `if (waiting && waiting.nextAt > clock.now() &&`,
    replace: `if (false && waiting && waiting.nextAt > clock.now() &&`,
    by: 'seeds',
  },
  {
    bug: 'waits for ever for a lost answer',
    file: 'src/control/lanes.ts',
    find: 'await withTimeout(clock, action.timeoutMs, `${what} ${lane}`, action.perform)',
    replace: 'await action.perform(signal)',
    by: 'seeds',
  },
  {
    bug: 'calls an instance terminated before the engine has removed it',
    file: 'src/services/ec2/plan.ts',
    find: `  if (!seen)\n    return {\n      set: row.state === 'terminated'`,
    replace: `  if (!seen || seen.state === 'stopped')\n    return {\n      set: row.state === 'terminated'`,
    by: 'seeds',
  },
  {
    bug: 'forgets a load balancer before the engine has dropped it',
    file: 'src/services/elasticloadbalancingv2/reconcilers.ts',
    find: `    await balancer.apply(model)\n`,
    replace: `    balancer.apply(model).catch(() => undefined)\n`,
    by: 'sweep: terminate',
  },
  {
    bug: 'lets an instance in before its groups are in force',
    file: 'src/services/ec2/perform.ts',
    find: `if (LETS_IN.has(action)) await enforce()`,
    replace: `if (LETS_IN.has(action)) void enforce().catch(() => undefined)`,
    by: 'seeds',
  },
  {
    bug: 'does not look whether the rules of the firewall are still there',
    file: 'src/services/ec2/firewall.ts',
    find: `        await apply(model)\n        return model`,
    replace: `        if (generationOf(model) !== inForce) await apply(model)\n        return model`,
    by: 'seeds',
  },
  {
    bug: 'leaves instances that no row names',
    file: 'src/services/ec2/reconcilers.ts',
    find: `orphans: unowned.filter(ours).map((one) => one.id)`,
    replace: `orphans: []`,
    by: 'seeds',
  },
  {
    bug: 'removes instances of another database',
    file: 'src/services/ec2/reconcilers.ts',
    find: `orphans: unowned.filter(ours).map((one) => one.id)`,
    replace: `orphans: unowned.map((one) => one.id)`,
    by: 'seeds',
  },
  {
    bug: 'runs a step without writing down that it was run',
    file: 'src/control/workflows.ts',
    find: `save(run.id, name, 'done', value)\n              return value`,
    replace: `return value`,
    by: 'sweep: create',
  },
  {
    bug: 'puts an instance in service before it runs',
    file: 'src/services/autoscaling/plan.ts',
    find: `if (member.lifecycleState === 'Pending' && member.ec2State !== 'running') return []`,
    replace: `if (member.lifecycleState === 'Pending' && member.ec2State !== 'running' && false) return []`,
    by: 'sweep: create',
  },
  {
    bug: 'terminates a member without taking it out of its target groups',
    file: 'src/services/autoscaling/members.ts',
    find: `for (const arn of listOf(member.registered)) deregister(`,
    replace: `for (const arn of listOf('[]')) deregister(`,
    by: 'seeds',
  },
  {
    bug: 'calls an environment Green though its targets are not healthy',
    file: 'src/services/elasticbeanstalk/health.ts',
    find: `findings.push(...assessTargets(facts), ...assessVersions(facts),`,
    replace: `findings.push(...assessVersions(facts),`,
    by: 'seeds',
  },
  {
    bug: 'lets a workflow go on after its environment began to be terminated',
    file: 'src/services/elasticbeanstalk/operations/terminate.ts',
    find: `for (const run of workflows.active(row.id)) workflows.cancel(`,
    replace: `for (const run of workflows.active('')) workflows.cancel(`,
    by: 'terminate: create',
  },
  {
    bug: 'leaves the launch configuration that an update was replacing',
    file: 'src/services/elasticbeanstalk/workflows/terminate-environment.ts',
    find: `['launchConfigurationName', 'formerLaunchConfigurationName'] as const`,
    replace: `['launchConfigurationName'] as const`,
    by: 'terminate: a changed instance type',
  },
  {
    bug: 'gives two events of an environment the same millisecond',
    file: 'src/services/elasticbeanstalk/events.ts',
    find: `Math.max(clock.now(), last + 1)`,
    replace: `Math.max(clock.now(), last)`,
    by: 'sweep: create',
  },
  {
    bug: 'forgets which kills it has told of',
    file: 'src/services/elasticbeanstalk/room/kills.ts',
    find: `store.put('oom_told', plan.row)`,
    replace: `void plan.row`,
    by: 'seeds',
  },
  {
    bug: 'does not sweep bodies that a broken write left',
    file: 'src/services/s3/plan.ts',
    find: `actions.push({ what: 'note-garbage', bodyId })`,
    replace: `actions.push()`,
    by: 'sweep: an upload',
  },
  {
    bug: 'keeps the elastic address when a load balancer takes its place',
    file: 'src/services/elasticbeanstalk/workflows/switch-front.ts',
    find: `if (unused === 'elastic address') removeElasticAddress(`,
    replace: `if (unused === 'elastic address') void (`,
    by: 'seeds',
  },
  {
    bug: 'asks rules in the order in which they were made',
    file: 'src/services/elasticloadbalancingv2/model.ts',
    find: `.sort((a, b) => a.priority - b.priority)`,
    replace: ``,
    by: 'sweep: rules and access logs',
  },
  {
    bug: 'reads requests again from the beginning',
    file: 'src/services/elasticloadbalancingv2/request-reconciler.ts',
    find: `balancer.requests(before.position)`,
    replace: `balancer.requests(null)`,
    by: 'seeds',
  },
  {
    bug: 'forgets which further listeners it made',
    file: 'src/services/elasticbeanstalk/workflows/listeners.ts',
    find: `remember(parts, row.id, { furtherListeners: JSON.stringify(kept) })`,
    replace: `void kept`,
    by: 'sweep: a listener of HTTPS',
  },
  {
    bug: 'leaves its rules at the load balancer of others',
    file: 'src/services/elasticbeanstalk/workflows/shared-load-balancer.ts',
    find: `  removeRules(sharing)\n`,
    replace: ``,
    by: 'sweep: leaving a shared load balancer',
  },
  {
    bug: 'forgets target groups that a process had before',
    file: 'src/services/elasticbeanstalk/workflows/processes.ts',
    find: `rememberList(work, 'formerTargetGroups', [...new Set(all.filter((arn) => !used.has(arn)))])`,
    replace: `rememberList(work, 'formerTargetGroups', [])`,
    by: 'sweep: a process on another port',
  },
]
