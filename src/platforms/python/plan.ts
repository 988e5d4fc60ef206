// A Python bundle on Elastic Beanstalk's terms: dependencies by pip, gunicorn or a Procfile, nginx in front.
import { bundleLayer, type BundleFile } from '../bundle-layer.ts'
import type { BundleListing } from '../bundle.ts'
import type { Stack } from '../catalogue.ts'
import { AWAIT_START, existingFolders, instanceFiles } from '../instance/instance-files.ts'
import { portOf, type PlatformOptions } from '../options.ts'
import {
  APP_DIR,
  SYSTEM_PATH,
  enginePlatform,
  type BuildConfiguration,
  type Plan,
  type PlanProblem,
} from '../plan.ts'
import { parseProcfile, type ProcfileResult } from '../procfile.ts'
import { VENV, dependenciesLayer, dependenciesOf } from './layers.ts'
import { gunicornTarget } from './wsgi-path.ts'

export type PlanInput = {
  stack: Stack
  listing: BundleListing
  bundle: BundleFile
  options: PlatformOptions
  configuration: BuildConfiguration
}

const PORT = 8000

export function planPython({
  stack,
  listing,
  bundle,
  options,
  configuration,
}: PlanInput): Plan | PlanProblem {
  const { source, result: dependencies } = dependenciesOf(listing)
  if (dependencies.kind === 'problem') return dependencies
  const port = portOf(options, PORT)
  if ('problem' in port) return { kind: 'problem', problem: port.problem }
  const processes = processesOf(listing, options, port.port)
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
  const builds = [
    bundleLayer(bundle, platform, []),
    dependenciesLayer({
      stack,
      bundle,
      configuration,
      source,
      requirements: dependencies.text,
      startsGunicorn: processes.processes.some(({ command }) => command.includes('gunicorn')),
    }),
  ]
  return {
    kind: 'plan',
    builds,
    mounts: builds.map(({ name, target }) => ({ name, target })),
    platform,
    env,
    files: laid.files,
    startCheck: {
      argv: [AWAIT_START, String(options.commandTimeoutSeconds)],
      // The check ends by itself; this is for a check that cannot.
      timeoutMs: (options.commandTimeoutSeconds + 15) * 1000,
    },
    warnings: source === null ? [NO_REQUIREMENTS] : [],
    notes: listing.texts['Procfile'] === undefined ? [] : [USED_PROCFILE],
  }
}

const NO_REQUIREMENTS =
  'The bundle has no requirements.txt, Pipfile.lock or Pipfile at its top level: no packages are installed.'
/** Event text of AWS, seen in deployments (LOG-oct25). */
const USED_PROCFILE =
  "Instance deployment used the commands in your 'Procfile' to initiate startup of your application."

function processesOf({ texts }: BundleListing, options: PlatformOptions, port: number): ProcfileResult {
  if (texts['Procfile'] !== undefined) return parseProcfile(texts['Procfile'])
  const target = gunicornTarget(options.python.wsgiPath)
  if (target === undefined) {
    return {
      kind: 'problem',
      problem: `WSGIPath is '${options.python.wsgiPath}': expected a module (application), module:callable (app:app) or a file (mysite/wsgi.py).`,
    }
  }
  const address = options.proxyServer === 'none' ? '0.0.0.0' : '127.0.0.1'
  const words = [
    'gunicorn',
    '--bind',
    `${address}:${port}`,
    `--workers=${options.python.numProcesses}`,
    `--threads=${options.python.numThreads}`,
  ]
  // A target with a call in it has characters that the shell would take.
  return {
    kind: 'processes',
    processes: [
      {
        name: 'web',
        command: [...words, /[^\w.:]/.test(target) ? `'${target.replaceAll("'", '"')}'` : target].join(' '),
      },
    ],
  }
}

function environmentOf({ env }: PlatformOptions, port: number): Record<string, string> {
  return {
    LANG: 'C.UTF-8',
    HOME: '/home/webapp',
    USER: 'webapp',
    // Difference from AWS: what the application prints is in its log at once, not when a buffer is full.
    PYTHONUNBUFFERED: '1',
    PYTHONPATH: `${APP_DIR}:${VENV}/bin`,
    PORT: String(port),
    ...env,
    PATH: [`${VENV}/bin`, env['PATH'] ?? SYSTEM_PATH].join(':'),
  }
}
