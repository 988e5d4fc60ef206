// Domains of a home's own names. Pure.

/** Where names of load balancers end, beside environments' names in `domain`; below `localhost` they are as short as may be. */
export const loadBalancerDomainOf = (domain: string): string =>
  domain === 'localhost' || domain.endsWith('.localhost') ? 'elb.localhost' : `elb.${domain}`
