// Why an environment does not answer, in one sentence: what `polebean why` ends with, and what a visitor on this machine reads.

export type Answering = {
  name: string
  /** AWS's: Ready, Launching, … */
  status: string
  anyHealthy: boolean
  /** What is known of it: an event's text, what the load balancer says of an instance. */
  cause: string | undefined
}

/** Undefined when nothing is known to be wrong. */
export function reasonOf({ name, status, anyHealthy, cause }: Answering): string | undefined {
  if (status !== 'Ready') return `${name} is ${status}; wait for it: polebean events -f ${name}`
  return anyHealthy ? undefined : `No instance is healthy: ${cause ?? 'there is none'}.`
}

/** The one line that tells most: what an instance said, else the first error. */
export function causeOf(errors: string[]): string | undefined {
  const [, said] =
    errors.find((text) => text.startsWith('[Instance: ') && text.includes('\n'))?.split('\n') ?? []
  return said ?? errors[0]?.split('\n')[0]
}

/** Of an environment's last errors, newest first, the one that tells most. */
export const tellingError = (newestFirst: string[]): string | undefined =>
  newestFirst.find((message) => message.includes('\n')) ?? newestFirst[0]
