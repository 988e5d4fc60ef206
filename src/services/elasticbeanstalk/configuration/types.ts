// What the configuration half of Elastic Beanstalk hands to the rest of the service: settings as AWS names them, and
// the same as typed fields for those who carry them out.

import type { HealthReporting } from './health-reporting.ts'

/** One option's value as a caller gave it. `namespace` and `optionName` are in AWS's spelling, `value` is verbatim. */
export type Setting = {
  namespace: string
  optionName: string
  /** Only of options of a named resource (a scheduled action); null otherwise. */
  resourceName: string | null
  value: string
}

/** A setting as DescribeConfigurationSettings shows it: an option without value or default has `value: null`. */
export type ShownSetting = Omit<Setting, 'value'> & { value: string | null }

/** Names an option; what OptionsToRemove takes. */
export type OptionKey = Omit<Setting, 'value'>

/** What a change of settings asks of a running environment.
 *  `none`: nothing to carry out. `in-place`: instances stay (group, balancer, or the application's restart).
 *  `replace`: new instances are needed. */
export type Impact = 'none' | 'in-place' | 'replace'

export type ConfigurationChange = {
  impact: Impact
  /** Whether the instances' software must be put again (environment properties, platform options, proxy). */
  restartsApplication: boolean
  /** `namespace:optionName` of the options whose effective value changed, sorted. */
  options: string[]
}

/** The settings that have an effect, as plain values. Everything a workflow needs, nothing else. */
export type EnvironmentConfiguration = {
  /** Behind a load balancer; else one instance with an elastic address. */
  loadBalanced: boolean
  minSize: number
  maxSize: number
  cooldownSeconds: number
  /** When the group is to replace instances, and how long it first leaves them alone. */
  healthCheck: { type: 'EC2' | 'ELB'; graceSeconds: number }
  /** What changes the group's size by itself; null = nothing, of a single instance. */
  scaling: Scaling | null
  /** By name; those that are suspended are not among them. */
  scheduledActions: ScheduledAction[]
  instanceType: string
  rootVolumeGiB: number
  /** Instances read their metadata with a token only (IMDSv2). */
  disableImdsV1: boolean
  /** Ids or names of security groups that instances have beside their own. */
  securityGroups: string[]
  /** Instances have no security group of their own. */
  disableDefaultSecurityGroup: boolean
  /** Name of a key pair; '' = none. */
  keyName: string
  /** What the instances' own group lets in where there is a key; the source is a range of IPv4 or a security group. */
  sshSource: { protocol: string; fromPort: number; toPort: number; source: string }
  /** Ids or names of security groups of the load balancer. */
  loadBalancerSecurityGroups: string[]
  /** The load balancer's first group, which the instances' own lets in; '' = one is made. */
  managedSecurityGroup: string
  /** Environment properties, in the order in which they were given. */
  env: Record<string, string>
  /** What instances serve, a target group each; the one called `default` is the first. */
  processes: Process[]
  idleTimeoutSeconds: number
  /** How long requests wait while no instance may have them. */
  queueSeconds: number
  /** HTML of the load balancer's answers 502, 503 and 504; '' = AWS's. */
  errorPage: string
  /** Names by which it is asked for besides its CNAME, in lower case; `*.example.org` is whatever is below. */
  domains: string[]
  /** Of the load balancer; null = none. */
  accessLogs: AccessLogs | null
  /** Not null = its load balancer is a classic one, which checks all processes by this protocol at this port. */
  classic: { protocol: 'HTTP' | 'HTTPS' | 'TCP'; port: number } | null
  /** ARN of a load balancer that is not the environment's own; '' = it has one. */
  sharedLoadBalancer: string
  /** Of port 80; null = none, or somebody else's. */
  defaultListener: ListenerTargets | null
  listeners: FurtherListener[]
  /** Connections end with the rule of a security group that let them in. */
  cutOnRevoke: boolean
  /** How long one command on the instances (a deployment, a start) may take. */
  commandTimeoutSeconds: number
  /** A deployment is not failed for health alone. */
  ignoreHealthCheck: boolean
  health: HealthReporting
  proxyServer: 'nginx' | 'none'
  /** URL path (`/static`) → folder of the bundle (`static`), both without a slash at the end. Folders may not exist. */
  staticFiles: Record<string, string>
  python: { wsgiPath: string; numProcesses: number; numThreads: number }
  /** Of the logs of instances, and of the environment's health, to CloudWatch Logs. */
  logStreaming: Streaming
  healthStreaming: Streaming
}

export type Streaming = {
  enabled: boolean
  /** Its groups go with the environment. */
  deleteOnTerminate: boolean
  retentionDays: number
}

export type Scaling = ({ by: 'trigger' } & Trigger) | ({ by: 'tracking' } & Tracking)

/** Two alarms about one measure, each with a policy. */
export type Trigger = {
  /** AWS's MeasureName: of the group's instances (`NetworkOut`), or of the load balancer (`RequestCount`). */
  measure: string
  statistic: 'Minimum' | 'Maximum' | 'Sum' | 'Average'
  periodSeconds: number
  /** Periods in a row for which a threshold must be passed. */
  periods: number
  upper: Breach
  lower: Breach
}

/** `change`: instances to add, or to remove when it is below zero. */
export type Breach = { threshold: number; change: number }

export type Tracking = {
  metric: 'CPUUtilization' | 'RequestCountPerTarget'
  /** Percent, or requests a minute to each instance. */
  target: number
  /** Length of one period, over which the metric is looked at. */
  seconds: number
  /** How long it is below the target until an instance is taken away. */
  scaleInSeconds: number
  /** How long a new instance runs until it counts. */
  warmupSeconds: number
  scalesIn: boolean
}

/** At a time, or again and again. Null = not said, or not changed; times in milliseconds since 1970. */
export type ScheduledAction = {
  name: string
  startAt: number | null
  endAt: number | null
  /** Cron, in UTC. */
  recurrence: string | null
  minSize: number | null
  maxSize: number | null
  desiredCapacity: number | null
}

/** A wrong or doubtful setting, in the terms of ValidateConfigurationSettings. */
export type Finding = {
  severity: 'error' | 'warning'
  namespace: string
  optionName: string
  /** Without the prefix `Configuration validation exception: `. */
  message: string
}

/** A value that is stored and shown but has no effect here (the published list of docs/options.md). */
export type WithoutEffect = Setting & { reason: string }

export type AccessLogs = { bucket: string; prefix: string }

/** One port of the instances, behind a target group of its own. */
export type Process = {
  name: string
  port: number
  protocol: 'HTTP' | 'HTTPS'
  healthCheck: {
    path: string
    intervalSeconds: number
    timeoutSeconds: number
    healthyThreshold: number
    unhealthyThreshold: number
    /** HTTP codes that count as healthy, in the form of elbv2's Matcher: `200`, `200,204`, `200-399`. */
    matcher: string
  }
  deregistrationDelaySeconds: number
  /** How long a client stays with an instance, by the load balancer's cookie; null = it does not. */
  stickinessSeconds: number | null
}

/** Where requests go from a listener. */
export type ListenerTargets = {
  /** Name of the process that gets what no rule applies to. */
  defaultProcess: string
  rules: ListenerRule[]
}

/** Holds when one of the hosts and one of the paths match; empty = any. */
export type ListenerRule = {
  name: string
  hostHeaders: string[]
  pathPatterns: string[]
  /** The lowest is asked first; on a shared load balancer it counts among the environment's own. */
  priority: number
  /** Name of the process that gets the request. */
  process: string
}

/** Of the load balancer, besides the default one. */
export type FurtherListener = ListenerTargets & {
  port: number
  protocol: 'HTTP' | 'HTTPS'
  /** ARNs, the default one first. */
  certificates: string[]
  /** '' = the load balancer's own default. */
  sslPolicy: string
}
