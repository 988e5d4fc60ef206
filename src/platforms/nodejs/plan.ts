// A Node.js bundle on Elastic Beanstalk's terms: packages by npm, `npm start` or a Procfile, nginx in front.
import { bundleLayer } from '../bundle-layer.ts'
import type { BundleListing } from '../bundle.ts'
import { AWAIT_START, existingFolders, instanceFiles } from '../instance/instance-files.ts'
import { quote } from '../instance/services.ts'
import { portOf, type PlatformOptions } from '../options.ts'
import { APP_DIR, SYSTEM_PATH, enginePlatform, type Plan, type PlanProblem } from '../plan.ts'
import { parseProcfile, type ProcfileResult } from '../procfile.ts'
import type { PlanInput } from '../python/plan.ts'
import { MODULES, RUNTIME, packagesLayer, runtimeLayer } from './layers.ts'
import { readPackageJson, type PackageJson } from './package-json.ts'

const PORT = 8080
const NO_PACKAGE: PackageJson = {
  name: '',
  version: '',
  scripts: {},
  main: undefined,
  needsSource: false,
  hasDependencies: false,
}

export function planNodejs({
  stack,
  listing,
  bundle,
  options,
  configuration,
}: PlanInput): Plan | PlanProblem {
  const text = listing.texts['package.json']
  const read = text === undefined ? undefined : readPackageJson(text)
  if (read?.kind === 'problem') return read
  const packageJson = read?.package ?? NO_PACKAGE
  const port = portOf(options, PORT)
  if ('problem' in port) return { kind: 'problem', problem: port.problem }
  const processes = processesOf(listing, packageJson)
  if (processes.kind === 'problem') return processes
  const env = environmentOf(options, port.port)
  const laid = instanceFiles({
    processes: processes.processes,
    env,
    properties: options.env,
    port: port.port,
    proxyServer: options.proxyServer,
    staticFiles: existingFolders(listing, options.staticFiles),
  })
  if (laid.kind === 'problem') return laid
  const platform = enginePlatform(stack)
  const runtime = runtimeLayer(stack, configuration.npm)
  const layerInput = { stack, listing, bundle, configuration, packageJson }
  // AWS: a node_modules folder in the bundle is taken as it is, and nothing is installed.
  const installs =
    text !== undefined &&
    !listing.topLevel.includes('node_modules/') &&
    (packageJson.hasDependencies || packageJson.needsSource)
  const unpacked = bundleLayer(
    bundle,
    platform,
    installs && !packageJson.needsSource ? ['--node-modules'] : [],
  )
  if (installs && !configuration.npm)
    return {
      kind: 'problem',
      problem:
        'The packages of package.json need npm, which was not found on this machine: install it, or name its folder ' +
        '(…/lib/node_modules/npm) in POLEBEAN_NPM when you start Polebean.',
    }
  const whole = packageJson.needsSource
  const packages = installs ? [packagesLayer(whole ? 'application' : 'modules', layerInput)] : []
  // A layer that holds the application with its packages stands in for the bundle's.
  const mounted = [runtime, ...(installs && whole ? [] : [unpacked]), ...packages]
  return {
    kind: 'plan',
    builds: [runtime, unpacked, ...packages],
    mounts: mounted.map(({ name, target }) => ({ name, target })),
    platform,
    env,
    files: laid.files,
    startCheck: {
      argv: [AWAIT_START, String(options.commandTimeoutSeconds)],
      timeoutMs: (options.commandTimeoutSeconds + 15) * 1000,
    },
    warnings: installs && !hasLock(listing) ? [NO_LOCK] : [],
    notes: listing.texts['Procfile'] === undefined ? [] : [USED_PROCFILE],
  }
}

const hasLock = ({ texts }: BundleListing) => 'package-lock.json' in texts || 'npm-shrinkwrap.json' in texts
const NO_LOCK =
  'The bundle has no package-lock.json: package versions are chosen anew whenever package.json changes.'
const USED_PROCFILE =
  "Instance deployment used the commands in your 'Procfile' to initiate startup of your application."

// AWS: Procfile, else `npm start`, else app.js, else server.js; developer guide, nodejs-platform-dependencies.
function processesOf(
  { texts, topLevel }: BundleListing,
  { scripts, name, version }: PackageJson,
): ProcfileResult {
  if (texts['Procfile'] !== undefined) return parseProcfile(texts['Procfile'])
  const web = (command: string, shown = command): ProcfileResult => ({
    kind: 'processes',
    processes: [{ name: 'web', command, shown }],
  })
  const { start, prestart, poststart } = scripts
  if (start !== undefined && (prestart !== undefined || poststart !== undefined)) return web('npm start')
  // The script as npm would run it, without npm itself staying in memory in front of it.
  if (start !== undefined) {
    const told = { npm_lifecycle_event: 'start', npm_package_name: name, npm_package_version: version }
    const words = Object.entries(told).map(([key, value]) => quote(`${key}=${value}`))
    return web(`exec env ${words.join(' ')} /bin/sh -c ${quote(start)}`, start)
  }
  const file = ['app.js', 'server.js', 'index.js'].find((path) => topLevel.includes(path))
  if (file) return web(`node ${file}`)
  return {
    kind: 'problem',
    problem:
      "The bundle says not how to start: it has neither a Procfile, nor a 'start' script in package.json, nor app.js or server.js.",
  }
}

function environmentOf({ env }: PlatformOptions, port: number): Record<string, string> {
  return {
    LANG: 'C.UTF-8',
    HOME: '/home/webapp',
    USER: 'webapp',
    NODE_ENV: 'production',
    PORT: String(port),
    ...env,
    PATH: [
      `${APP_DIR}/node_modules/.bin`,
      `${MODULES}/.bin`,
      `${RUNTIME}/bin`,
      env['PATH'] ?? SYSTEM_PATH,
    ].join(':'),
  }
}
