// Domains of a home's own names. Pure.

/** AWS's own domain of environments, for clients that insist on it: names below it lead to somebody's production unless they lead here. */
export const isOfAws = (domain: string): boolean => domain === 'elasticbeanstalk.com'

/** Where names of load balancers end, beside environments' names in `domain`; below `localhost` they are as short as may be. */
export const loadBalancerDomainOf = (domain: string): string =>
  domain === 'localhost' || isOfAws(domain) || domain.endsWith('.localhost')
    ? 'elb.localhost'
    : `elb.${domain}`
