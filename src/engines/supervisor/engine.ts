// Keeps the daemons of a home alive without the control plane (design §1.2, §10).
//
// Contract: `ensure` is idempotent; a changed service is restarted, an unchanged one is left alone. A daemon that dies
// returns within about a second, also while the control plane is dead. `stop` ends it until the next `ensure`, also across
// the supervisor's own restart; `remove` ends it and leaves nothing. Both are idempotent.

export type Service = {
  /** [a-z0-9-]{1,32} */
  name: string
  argv: string[]
  env: Record<string, string>
  /** Open files at most; null = as inherited. */
  filesMax: number | null
  /** What is kept of its output; absent = five files of a megabyte. */
  log?: { fileBytes: number; files: number }
}

export type ServiceObservation = { name: string; running: boolean; pid: number | null; sinceSeconds: number }

export type Supervisor = {
  ensure(service: Service): Promise<void>
  stop(name: string): Promise<void>
  remove(name: string): Promise<void>
  list(): Promise<ServiceObservation[]>
  /** SIGHUP, SIGUSR2, … to the daemon itself. */
  signal(name: string, signal: 'HUP' | 'USR1' | 'USR2' | 'TERM'): Promise<void>
  /** Ends every daemon and the supervisor itself. */
  shutdown(): Promise<void>
}
