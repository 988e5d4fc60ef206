// What a platform reads of an environment's configuration (a part of elasticbeanstalk's EnvironmentConfiguration).

export type PlatformOptions = {
  /** aws:elasticbeanstalk:application:environment */
  env: Record<string, string>
  proxyServer: 'nginx' | 'none'
  /** aws:elasticbeanstalk:environment:proxy:staticfiles: URL path → folder of the bundle, which need not exist. */
  staticFiles: Record<string, string>
  /** aws:elasticbeanstalk:command Timeout: how long a start may take. */
  commandTimeoutSeconds: number
  /** aws:elasticbeanstalk:container:python */
  python: { wsgiPath: string; numProcesses: number; numThreads: number }
}

/** Where the application must listen. AWS: 8000 for Python, 8080 for Node.js, the property PORT overrides both. */
export function portOf(options: PlatformOptions, ordinary: number): { port: number } | { problem: string } {
  const given = options.env['PORT']
  if (given === undefined) return { port: options.proxyServer === 'none' ? 80 : ordinary }
  const port = Number(given)
  if (!/^\d+$/.test(given) || port < 1 || port > 65_535) {
    return { problem: `The environment property PORT is '${given}', which is no port.` }
  }
  if (port === 80 && options.proxyServer === 'nginx') {
    return {
      problem:
        'The environment property PORT is 80, where nginx listens: choose another, or set ProxyServer to none.',
    }
  }
  return { port }
}
