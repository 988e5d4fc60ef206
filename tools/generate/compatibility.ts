// Writes docs/compatibility.md: which operations there are comes from the services themselves, the rest is said here.
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Life } from '../../sim/life.ts'
import { makeWorld } from '../../sim/world.ts'
import { modelOf } from '../../src/gateway/models.ts'
import { HEEDED } from '../../src/services/ec2/parameters.ts'
import { operationNames, packages } from './operations.ts'

const TARGET = fileURLToPath(new URL('../../docs/compatibility.md', import.meta.url))

export function compatibilityText(): string {
  const world = makeWorld(1)
  const life = new Life(world)
  const rows = Object.entries(packages).map(([name, packageName]) => {
    const there = Object.keys(life.plane.services[name]?.operations ?? {})
      .map(upperFirst)
      .toSorted()
    const all = operationNames(packageName)
    return `### ${name}: ${there.length} of ${all.length}\n\n${there.join(', ')}\n`
  })
  life.die()
  world.store.close()
  return `${HEAD}\n## Operations\n\nEvery other operation of these services answers a typed error that names it (400 \`UnsupportedOperation\`); an operation\nor option without effect is never stored and ignored. All options: [options.md](options.md).\n\n${rows.join('\n')}\n${refusedParameters()}`
}

function refusedParameters(): string {
  const rows = Object.entries(HEEDED).flatMap(([name, heeded]: [string, readonly string[]]) => {
    const members = modelOf('ec2').operation(upperFirst(name))?.input?.members ?? []
    const refused = members
      .map((member) => member.name)
      .filter((member) => member !== 'DryRun' && !heeded.includes(member))
    return refused.length > 0 ? [`- ${upperFirst(name)}: ${refused.toSorted().join(', ')}`] : []
  })
  return `## Parameters of ec2 that are refused\n\n${PARAMETERS_HEAD}\n\n${rows.join('\n')}\n`
}

export const generateCompatibility = (): void => writeFileSync(TARGET, compatibilityText())

const upperFirst = (name: string) => name[0]!.toUpperCase() + name.slice(1)

const HEAD = `# What works, and what differs from AWS

<!-- written by npm run generate; tools/generate/compatibility.ts -->

## Clients

| client | state |
|---|---|
| \`aws\` (CLI 1.45, botocore 1.43) | the walk of the README runs in the tests |
| boto3, AWS SDK for JavaScript v3 | run in the tests |
| \`eb\` 3.27.1 | what its commands need of the operations below; not every command |
| Terraform | not run yet |

## Differences from AWS, on purpose

- \`LoadBalancerType\` defaults to \`application\` (AWS's API: \`classic\`), \`SystemType\` to \`enhanced\`, as on all current platforms; \`basic\` is taken too.
- CNAMEs end in \`.elasticbeanstalk.localhost\`, which browsers and curl lead to this machine; \`dns.domain\` of the
  home's [settings](configuration.md) is another domain, for a home without environments.
- Route 53 has hosted zones, one public and one private of a name; there is one VPC, which every private zone has. Types are A, AAAA, CAA, CNAME, MX, NS, PTR, SOA, SRV and TXT; policies simple, weighted (A, AAAA,
  CNAME), failover and multivalue. Latency, geolocation, geoproximity, CIDR and traffic policies, reusable delegation sets
  and query logging are refused. Labels are of letters, digits, hyphens and underscores.
- DNSSEC: a key-signing key is a key of the home's own (algorithm 13), kept in its database, which signs all of the zone by itself: there is no key of Route 53 beside it. There is no KMS:
  \`KeyManagementServiceArn\` must look like the ARN of a key and is answered again, nothing else. What is not there is proved by NSEC3 (AWS: NSEC). Nobody asks the parent:
  the DS record there is yours to put and, before signing ends or a key goes, to take away.
- The resolver of instances follows no CNAME out of a hosted zone to a name that is not the home's own, public or private: instances then get no address. A CNAME of a
  private zone to an environment or a load balancer is answered as an address.
- The name servers of a zone are \`ns1\` and \`ns2\` of the home's domain. The serial of its SOA counts its changes, whatever the record says. An alias of a load balancer
  takes any \`HostedZoneId\` but the zone's own; weights between load balancers of the home are refused, since they have one address.
- Health checks are made from this machine alone; latency, regions, CloudWatch alarms and routing controls are refused, addresses of the machine itself too: its own
  environments are asked by name. A new one counts as healthy until it was asked; one answer makes it healthy for the first time.
- A name that leads here from a hosted zone, or that \`polebean:domains\` \`Hosts\` tells, is served without a listener rule. SwapEnvironmentCNAMEs exchanges that option, too.
- A terminated environment's prefix is held for its account for 30 days; on AWS it is anybody's at once.
- The quotas of environments and instances are the settings \`limits.*\`; only the home's owner can raise them.
- A target that is down is probed every 250 ms; AWS waits for the check's interval.
- Regular expressions in rules (\`RegexValues\`), transforms and actions that authenticate are refused. A literal port of a redirect is
  that of a listener: a client of this machine is sent to where it is served (443 to 8443 where port 80 is at 8080).
- Public sockets of this machine know load balancers by names: those of their environments, their own, and hosts that a rule tells without wildcards,
  unless somebody has the name already.
- Rules of an environment behind a shared load balancer may change later, too; a port at which it has no listener is refused (AWS ignores it).
  The group that the first of them made for it lets in at the ports where they have rules, and stays so until it goes; \`CutOnRevoke\` is not asked there.
  A process that gets another port or protocol keeps its requests at the former one until it is healthy.
- Security policies say which versions of TLS a listener speaks, 1.2 and 1.3; those of AWS that let in older ones begin at 1.2 here, and
  their lists of ciphers are OpenSSL's. At a port of this machine all load balancers speak HTTPS once one does; one that speaks
  HTTP there is \`active_impaired\`, and reached at its address in the VPC.
- The headers of a request have 15 KB together at a load balancer (AWS: 64 KB), more is 400; a request whose lengths contradict each other is 400,
  or served as its chunks say on a connection that ends with it: there is no desync mode to choose.
- Access logs have \`-\` for the connection's id and for the classification of desync mitigation; bucket policies are not asked, the bucket
  must be there. What ends after a load balancer is deleted may be in no log. Connection logs are refused.
- Metrics have a point for each second (AWS: minute). A load balancer's connections are those to targets, and no metric has a dimension AvailabilityZone. DiskReadBytes and the
  like are of the instance's root volume, which on AWS are EBSReadBytes and the like. Fixed responses count as the load balancer's own codes. An environment whose health is Pending has no EnvironmentHealth.
- Points are kept as CloudWatch keeps them, with ten seconds in between (1 s for 3 hours, 10 s for a day, 1 min for 15 days, 5 min for 63, 1 h for 455), within \`budgets.metrics\`, in no backup.
  Percentiles of what is told as single values are known for 3 hours, of values with counts always. Extended statistics are percentiles; trimmed means and the like are refused. A home takes
  200,000 names of metrics. PutMetricData takes no entity.
- Alarms are of one metric or of metric math (at most ten metrics and ten expressions); their periods may be any number of seconds up to a minute, they are evaluated each period and at least each minute, one
  second after it has ended (five from a minute on), over two periods more than are asked for. Actions are scaling policies; topics, instance actions and Lambda functions are refused, and so are
  composite alarms, anomaly detection and \`EvaluateLowSampleCountPercentile\` \`ignore\`. While nothing measures (the machine slept), alarms of AWS's own metrics rest for a minute at most.
- Metric math has the functions that AWS documents but ANOMALY_DETECTION_BAND, DB_PERF_INSIGHTS, INSIGHT_RULE_METRIC, LAMBDA, SEARCH, SERVICE_QUOTA and Metrics Insights. The \`Period\` of an
  expression in GetMetricData counts for TIME_SERIES alone; \`LabelOptions\` has no effect, since labels that tell times are refused. CancelInstanceRefresh ends at once, whatever
  \`WaitForTransitioningInstances\` says.
- Targets by address (\`TargetType\` \`ip\`) are addresses of the VPC; AWS takes private ones of elsewhere too.
- Classic Load Balancers are those of environments (\`LoadBalancerType\` \`classic\`), which make and change them by their options; the API describes them,
  registers instances and keeps tags, and refuses the rest. Their listeners are of HTTP and HTTPS, at port 80 of HTTP; checks are by HTTP, HTTPS and TCP. A
  stickiness cookie without an expiration lasts a week. Auto Scaling groups name the target groups behind them, too.
- An Auto Scaling group that scales in ends members that serve only when those that stay have had their first checks; AWS ends them at once, also
  while the others are \`initial\`.
- Scaling policies are simple, step and target tracking (one metric; predefined ones or a customized one of AWS's form), called by alarms from periods of one second; predictive scaling and metric
  math are refused. Target tracking takes away half of what is too much at a time (AWS does it gradually, and does not publish how), counts an instance when it was warm for a whole period of the metric,
  and takes periods of 1 and 5 seconds beside AWS's 10, 30 and 60. While a whole group is new, what serves counts as warm.
- A scheduled action that was missed while the server was down runs late: of recurring ones only the latest time, in the order of these times. What is due while ScheduledActions is suspended does not run, as on AWS.
- Lifecycle hooks notify nobody (\`NotificationTargetARN\` is refused): DescribeAutoScalingInstances tells who waits. A launch waits from when its instance runs; an instance that returns from standby, or
  is attached, waits too. Deadlines move by the time that the machine slept.
- An instance refresh never goes beyond MaxSize: where that leaves no room, one at a time goes before its successor comes. It fails when nothing was replaced for an hour. Checkpoints, alarms, bake time and
  root volumes are refused. A group's maximum instance lifetime replaces one at a time.
- Termination policies are Default, OldestInstance, NewestInstance, OldestLaunchConfiguration and OldestLaunchTemplate: nothing is billed by the hour, and there is one allocation strategy. AZRebalance can be suspended and does
  nothing: all zones are on one machine. Warm pools, mixed instances, capacity rebalancing, placement groups, instance maintenance policies, notifications and traffic sources other than target groups are refused.
- Network Load Balancers have listeners of TCP and no others, and targets see the load balancer's address: \`preserve_client_ip\` is off, the PROXY
  protocol (\`proxy_protocol_v2.enabled\`) says whose a connection is. A listener's port of this machine is one load balancer's: where HTTP is served, or
  another was first, it is \`active_impaired\` and reached at its address in the VPC. Without security groups it lets in everybody; inside the VPC
  the default group holds. A connection ends five minutes after any change that reloads HAProxy, of whoever's load balancer: listeners, rules, health checks, an
  environment that is made or ends.
- Host arrives as the client sent it, whatever \`routing.http.preserve_host_header.enabled\` says.
- \`acm request-certificate\` asks the ACME directory of the setting \`acme.directory\` (Let's Encrypt, or another), once the name leads here: by \`HTTP\` at port 80, by \`DNS\` through a hosted
  zone here or a CNAME from \`_acme-challenge.NAME\` to a name of the home's domain, which is the \`ResourceRecord\` of its description. For names below \`.localhost\` the home's own authority
  issues, whatever \`ValidationMethod\` says. EMAIL, private authorities and exports are refused; an order that fails is tried again after 15 minutes, then twice as long, and a request that is not validated for 72 hours ends, as on AWS; \`renew-certificate\` renews any at once. Certificates are
  renewed 30 days before their end while a listener has them, and an ERROR event says so when that has not worked 20 days before it. Keys are of RSA (2048 to 4096 bits) or of the curves P-256, P-384, P-521.
- An instance that dies is first recovered in place (same id, address and disk): three tries in five minutes, then its group
  replaces it.
- Health thresholds that AWS does not publish are options here (\`polebean:healthreporting\`). Health changes at once, instances and environments (AWS: each 10 s and once a minute, after three
  failed checks); codes count over the last minute and more than six requests, from the deployment that serves on. A deployment fails for 5xx of its instances, never for 4xx. ApplicationMetrics of an
  environment count what clients were told, the load balancer's own answers too. An environment is Suspended an hour after its Auto Scaling group is gone.
- DescribeInstancesHealth: load averages are of the instance's own tasks, looked at every ten seconds; IOWait and Nice are there where the kernel tells them of a cgroup (version 2; Nice from
  Linux 6.11 on), IRQ and SoftIRQ never, since it counts them of no cgroup; nothing of Windows.
- Worker environments' health (queues) is not there, as they are not. There is no cause for a load average alone: AWS publishes none.
- Environments become Ready as soon as their instances pass the balancer's checks; AWS waits for twelve passed checks in two
  minutes.
- Security groups filter every packet between instances, load balancers and the outside; a change is in force about 50 ms after
  its answer. What no rule opens: the host and its services, other homes, link-local addresses; what needs no rule: the
  resolver and the metadata address. The host itself reaches instances through load balancers and elastic addresses only.
- Established connections stay when their rule goes, those from 0.0.0.0/0 too (AWS does not track these and cuts them). With the
  option \`polebean:firewall\` \`CutOnRevoke\` = \`true\`, or the tag \`polebean:cuts-on-revoke\` = \`true\` on a group, they end: TCP with a
  reset, HTTP at a public listener with its next request.
- Instances have no IPv6: rules with IPv6 ranges hold at public listeners. A client at ::1 is this machine and is let in where
  127.0.0.1 is, and where an IPv6 range holds it. The listeners of all load balancers share one socket for each port, and a refused connection is closed instead of
  dropped; by the group of which load balancer is known with the first request. A load balancer's own loopback port has its group too.
- An interface has up to 16 security groups (AWS: 5, raised to 16 on request). A group that settings name and that is not there is
  refused by its name; AWS says the same of one of another VPC. SSHSourceRestriction takes tcp and udp, ranges of IPv4 and groups.
- Terminating an environment whose group a rule of another group names deletes everything else first, then waits an hour for that
  rule to go; on AWS the deletion of the stack fails. An update leaves such a group, with a WARN event, for a later one.
- An environment's trigger: \`EvaluationPeriods\` holds over \`BreachDuration\` where both are given and do not agree (AWS "might modify one of
  the values"); an \`UpperThreshold\` below \`LowerThreshold\` is refused, since both alarms would hold at once. \`Unit\` has no effect (the alarms of
  AWS's environments have none). \`Latency\` is \`TargetResponseTime\` of an Application Load Balancer, \`TargetResponseTime\` is \`Latency\` of a classic one. \`polebean:autoscaling:targettracking\` takes
  the trigger's place: there are no other policies and alarms then. DescribeEnvironmentResources names alarms (or that policy) as
  \`Triggers\`. What somebody deleted of it is made anew by the next update.
- A scheduled action has the name that its settings give it. Two may not have one StartTime; a name is of letters, digits, \`.\`, \`_\` and \`-\`; an EndTime goes
  with a Recurrence. One that is over when it is given stays without effect, with a WARN event.
- \`HealthCheckType\` and grace of an environment's group are options, \`polebean:autoscaling:healthcheck\` (AWS: a Resources section of .ebextensions).
  An instance that goes has 20 seconds between SIGTERM and SIGKILL.
- A group that launches by a template names one with image and type; MixedInstancesPolicy and overrides are refused. RunInstances and
  templates take one network interface, of index 0.
- A load balancer that is made without a group has the VPC's default group, which lets in nobody from outside, as on AWS.
- The default VPC is the only one: a subnet a zone, one internet gateway, one route table; none of them can be changed. Revoking
  a rule that is not there is \`InvalidPermission.NotFound\` there, too (AWS: \`UnknownIpPermissions\`).
- Key pairs are kept, described and shown with their instances, but log nobody in: an instance has neither an SSH server nor a user
  \`ec2-user\`. A private key is given once, and kept nowhere; \`ppk\` is refused.
- User data is a script that begins with \`#!\`. The instance's root runs it once, at the first boot, beside the application; its
  output is in \`/var/log/cloud-init-output.log\`. \`#cloud-config\`, MIME archives and gzip are refused.
- The metadata service has versions 2021-03-23 and latest. It hands out no credentials (\`iam/\` is 404), no signature of the identity
  document and no public host names, and holds off an instance that asks more than 500 times in ten seconds. Packets are not
  forwarded by instances, so that \`HttpPutResponseHopLimit\` limits nothing; there is no IPv6 address of it.
- Elastic addresses are of this machine's loopback (127.X.0.1 to .250, X from the VPC's range), and lead tcp 80 of their instance to the
  home's HTTP port, from this machine only: no other port, and not from instances, for which 127.0.0.0/8 is their own. 250 at most
  (AWS: 5).
- Inside instances the private DNS names of the VPC resolve; names of environments and load balancers, which end in \`localhost\`, do not.
- Rules of ICMP are kept and enforced, but instances may open neither raw nor ping sockets.
- RunInstances answers before an instance has its address. The root volume is a file: its size is taken from BlockDeviceMappings and not
  described; there are no volumes, so that their tags and \`DeleteOnTermination\` = \`false\` are refused.
- An instance has no init system: \`shutdown\` within it does nothing, so \`InstanceInitiatedShutdownBehavior\` never comes to pass.
- Accepted without effect: \`Monitoring\` and \`IamInstanceProfile\` of instances; type, IOPS and throughput of their volume, which is
  a file; \`ClientToken\` of CreateNetworkInterface, which clients always send.
- Health says Severe once the load balancer has not found an instance healthy for a minute, whatever its target's state; AWS
  does not publish its grace.
- An update makes again what a failed launch, or somebody's own hand, left missing of an environment (group, load balancer,
  listener); AWS wants a new environment or a rebuild.
- A change that needs new instances launches one more first, so that the group has one above its desired capacity (and, if need
  be, above MaxSize) while it goes on; on AWS a group at work without rolling updates is replaced at once.
- \`/var/log/eb-engine.log\` in the logs of an environment is made of what builds and start checks said; instances have no such file.
- Terminating says nothing of termination protection and of an SNS topic: there is neither.
- The values of environment properties may be any text without NUL; only names and the total of 4,096 bytes are limited. AWS
  limits each value to 256 characters of a set.
- \`Resources.LoadBalancer.Listeners\` of an environment are the ports by which this machine reaches it: that of the public
  listener, then the environment's own on loopback.
- Tags of an environment go on to its group and instances, not to its load balancer and security groups.
- DescribeEnvironments answers the newest first and leaves out a terminated environment whose name was used again, unless
  IncludeDeleted is true or its id is asked for: the waiters of the AWS CLI want every row of a name to be Ready.
- The account is 000000000000; there is one region a home. Roles, instance profiles and policies are kept and described;
  nothing evaluates them. There are no users: access keys are the root user's, at most 10 (AWS: 2 for each user), and whoever
  signs with one may do everything. The last active key can be neither deleted nor made inactive. Their last use is kept at
  most once a minute. An address with more than 100 wrong signatures in 10 seconds is throttled, through the TLS of api.name only.
- CloudWatch Logs keeps events in a file of its own, in no backup, of \`budgets.logEvents\` at most: above it the oldest go before their retention is over. There is one class of groups (STANDARD), no
  KMS key, no deletion protection, no metric and subscription filters, queries, Live Tail, exports, transformers and deliveries. \`PutLogEvents\` takes no entity (\`rejectedEntityInfo\`: UnsupportedLogGroupType)
  and keeps the events. \`FilterLogEvents\` goes through 4 MiB an answer, so that pages may be empty, as on AWS.
- Filter patterns: terms, phrases, \`?\`, \`-\`, JSON in braces with \`[*]\` and \`.*\`, space-delimited fields in brackets. Regular expressions (\`%…%\`) are refused by InvalidParameterException. A comparison with a field
  that is not there is never true, \`!=\` neither; a quoted number is text.
- Streamed logs (\`aws:elasticbeanstalk:cloudwatch:logs\`): an event's time is that of its reading, at most about two seconds after it was written, later where many instances stream. \`eb-engine.log\` has a
  deployment's lines once it is over. Groups stay when streaming is switched off. What an instance writes in its last two seconds before it is terminated is not streamed. The record of
  \`environment-health.log\` has the members of DescribeEnvironmentHealth, since AWS publishes no form of it.
- S3 keeps CRC32 where a client sends no checksum (AWS: CRC64NVME); encryption, versioning, policies and lifecycle are refused.
- On a disk that is nearly full PutObject, UploadPart and CreateApplicationVersion with Process answer 507 \`InsufficientStorage\`; AWS's
  disks are never full. Memory is lent out several times over: RunInstances answers \`InsufficientInstanceCapacity\` by what instances
  and other programs use.
- A session token sent with a home's key is refused: there are none.

## Not there yet, refused by typed errors

Deployment policies other than all at once, environments with network load balancers, saved configurations as files in S3 (\`eb config get|put\`), \`.ebextensions\`, hooks, \`cron.yaml\`,
worker environments, swaps, rebuilds, managed updates, custom platforms, Docker.
`

const PARAMETERS_HEAD = `\`UnsupportedOperation\` for these (empty and \`false\` say nothing and pass), \`UnknownParameter\` for what AWS does not know either.
All other parameters of the operations above work, \`DryRun\` with all of them.`
