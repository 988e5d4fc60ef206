// What health is computed from, and what comes out.
import type { Thresholds } from './thresholds.ts'

export type HealthStatus =
  | 'NoData'
  | 'Unknown'
  | 'Pending'
  | 'Ok'
  | 'Info'
  | 'Warning'
  | 'Degraded'
  | 'Severe'
  | 'Suspended'

export type Codes = { requests: number; status4xx: number; status5xx: number }

/** Of the last minute, and none from before the deployment that serves now. */
export type Requests = {
  /** What instances answered. */
  application: Codes
  /** All of them, with the codes that the load balancer itself answered; null where there is none. */
  balancer: Codes | null
  /** How old the newest of them is. */
  agoMs: number
}

/** In percent; null = not known. */
export type SystemUse = {
  /** Over a minute, what waits for disks included. */
  cpu: number | null
  ioWait: number | null
  memory: number | null
  rootFilesystem: number | null
}

/** What is on an instance, or shall be. */
export type Version = { versionLabel: string; deploymentId: number }

export type InstanceFacts = {
  id: string
  state: 'Pending' | 'In Progress' | 'Deployed' | 'Failed'
  /** Milliseconds since it was added. */
  ageMs: number
  /** As elbv2 says it, of its worst process; null when it is not registered. */
  target: { state: string; reason: string; process?: string } | null
  /** How long the load balancer has not found it healthy; 0 while it does. */
  withoutElbMs: number
  /** How long the engine has said nothing of it. */
  silentMs: number
  /** Whether it has what an update under way brings. */
  updated: boolean
  /** The version on it, when it is not the expected one. */
  wrong: Version | null
  requests: Requests | null
  system: SystemUse
  /** How its deployment went, when that was just now. */
  completed: { what: 'Initialization' | 'Application deployment'; agoMs: number; tookMs: number } | null
  before: string
}

export type EnvironmentFacts = {
  status: 'Launching' | 'Updating' | 'Ready' | 'Terminating' | 'Terminated'
  /** What an update brings. */
  update: 'Application' | 'Configuration'
  /** Since the operation under way began. */
  runningMs: number
  /** How long one may take before what fails counts. */
  commandTimeoutMs: number
  /** The operation that ended last, if it succeeded. */
  completed: {
    what: 'Initialization' | 'Application update' | 'Configuration update'
    agoMs: number
    tookMs: number
  } | null
  expected: Version | null
  /** Its Auto Scaling group; null = it has none. */
  group: { minSize: number; desired: number } | null
  /** By what clients reach it. */
  front: 'load balancer' | 'classic load balancer' | 'elastic address'
  /** Whether that is there. */
  hasFront: boolean
  requests: Requests | null
  /** Why the whole home is in want of room; null while it is not. */
  lowRoom: string | null
  /** Why the group could not launch an instance that it lacks, the last time it tried; '' when it could. */
  launchFailure: string
  instances: InstanceFacts[]
  thresholds: Thresholds
  /** Whether 4xx count: the application's, and the load balancer's own. */
  rules: { application4xx: boolean; balancer4xx: boolean }
  /** Its status until now, and for how long it and its causes have been so. */
  before: string
  beforeMs: number
}

export type Assessment = { status: HealthStatus; causes: string[] }
export type EnvironmentAssessment = Assessment & { instances: (Assessment & { id: string })[] }
