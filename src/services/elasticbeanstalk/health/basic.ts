// Basic health: a colour, from the load balancer's checks (or whether the elastic address leads to the instance) and from what must be
// there. Requests, processors and deployments say nothing (reference §1.2). Pure.
import type { EnvironmentFacts } from './facts.ts'
import { outOfService } from './instance.ts'

export type Colour = 'Green' | 'Yellow' | 'Red' | 'Grey'
export type BasicHealth = {
  colour: Colour
  /** Nobody is left whom the load balancer finds healthy. */
  hasNone: boolean
}

type Facts = Pick<EnvironmentFacts, 'status' | 'group' | 'hasFront' | 'instances'>

export function assessBasic({ status, group, hasFront, instances }: Facts): BasicHealth {
  if (status !== 'Ready') return { colour: 'Grey', hasNone: false }
  const failing = instances.filter(outOfService).length
  const hasNone = instances.length > 0 && failing === instances.length
  const isThere = group !== null && hasFront && (instances.length > 0 || group.minSize === 0)
  // The balancer has counted its checks before it finds one unhealthy: what AWS calls three failed checks is over by then.
  const colour = !isThere || hasNone ? 'Red' : failing > 0 ? 'Yellow' : 'Green'
  return { colour, hasNone }
}

/** AWS's words, which old clients look for; null = that is no event. */
export function basicText(from: string, to: Colour): string | null {
  if (from === to || to === 'Grey') return null
  const [was, is] = [from.toUpperCase(), to.toUpperCase()]
  return was === 'GREY'
    ? `Environment health has been set to ${is}`
    : `Environment health has transitioned from ${was} to ${is}`
}

const BAD = ['Green', 'Yellow', 'Red']
/** Grey is no colour to fall from. */
export const isWorseColour = (from: string, to: string) => BAD.indexOf(to) > Math.max(0, BAD.indexOf(from))
