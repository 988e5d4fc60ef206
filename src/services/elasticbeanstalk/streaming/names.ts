// Groups and streams of an environment, named as AWS's Linux platforms name them.

/** `path` of an instance, `/var/log/…`. */
export const groupOf = (environment: string, path: string) => `/aws/elasticbeanstalk/${environment}${path}`

/** Of all logs of instances. */
export const groupsOfLogs = (environment: string) => groupOf(environment, '/var/log/')

export const healthGroup = (environment: string) => groupOf(environment, '/environment-health.log')

/** One a day; AWS has more of them, told apart by what follows the number sign. */
export const healthStream = (environmentId: string, at: number) =>
  `${new Date(at).toISOString().slice(0, 10)}#${environmentId.replace(/^e-/, '')}`
