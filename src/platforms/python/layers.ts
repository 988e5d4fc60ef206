// The second layer of a Python application: its virtual environment.
import type { BundleListing } from '../bundle.ts'
import type { BundleFile } from '../bundle-layer.ts'
import type { Stack } from '../catalogue.ts'
import {
  APP_DIR,
  MINUTE_MS,
  SYSTEM_PATH,
  asset,
  enginePlatform,
  configured,
  keyOf,
  type BuildConfiguration,
  type PlannedBuild,
} from '../plan.ts'
import { requirementsOfLock, requirementsOfPipfile, type Converted } from './pipfile.ts'
import { readRequirements } from './requirements.ts'

/** AWS's own path, which people write into hooks and debuggers. */
export const VENV = '/var/app/venv/staging-LQM1lest'

const INSTALLER_VERSION = '2'
/** Brought by the platform when the application brings none. */
const GUNICORN = 'gunicorn==23.0.0'
const LAYER_BYTES_MAX = 8 * 1024 ** 3

export type Dependencies = {
  source: 'requirements.txt' | 'Pipfile.lock' | 'Pipfile' | null
  result: Converted
}

/** AWS: requirements.txt before Pipfile.lock before Pipfile, developer guide, python-configuration-requirements. */
export function dependenciesOf({ texts }: BundleListing): Dependencies {
  const { 'requirements.txt': requirements, 'Pipfile.lock': lock, Pipfile: pipfile } = texts
  if (requirements !== undefined)
    return { source: 'requirements.txt', result: { kind: 'requirements', text: requirements } }
  if (lock !== undefined) return { source: 'Pipfile.lock', result: requirementsOfLock(lock) }
  if (pipfile !== undefined) return { source: 'Pipfile', result: requirementsOfPipfile(pipfile) }
  return { source: null, result: { kind: 'requirements', text: '' } }
}

type Input = {
  stack: Stack
  bundle: BundleFile
  configuration: BuildConfiguration
  source: Dependencies['source']
  /** Text of a requirements file. */
  requirements: string
}

export function dependenciesLayer({
  stack,
  bundle,
  configuration,
  source,
  requirements,
}: Input): PlannedBuild {
  const platform = enginePlatform(stack)
  const { readsBundle } = readRequirements(requirements)
  // Relative `-r` and `-c` are read beside the file that names them.
  const inBundle = readsBundle && source === 'requirements.txt'
  // Under its own name, so that what pip says names the file that the bundle has.
  const name = source ?? 'requirements.txt'
  const path = inBundle ? `${APP_DIR}/requirements.txt` : `/build/in/${name}`
  const content = [requirements, readsBundle ? bundle.sha256Hex : '', GUNICORN]
  return {
    name: 'dependencies',
    key: keyOf(
      'python',
      INSTALLER_VERSION,
      stack.runtime.build,
      ...content,
      configured(configuration, 'pip.conf'),
    ),
    platform,
    inputs: configuration.inputs,
    files: [
      ...configuration.files,
      { name: 'install-python.py', content: asset('install-python.py'), mode: 0o644 },
      { name, content: requirements, mode: 0o644 },
    ],
    needs: readsBundle ? [{ name: 'bundle', target: APP_DIR }] : [],
    argv: [
      stack.runtime.program,
      '-I',
      '/build/in/install-python.py',
      VENV,
      requirements.trim() === '' ? '-' : path,
      readsBundle ? APP_DIR : '-',
      GUNICORN,
    ],
    target: VENV,
    env: {
      PATH: SYSTEM_PATH,
      LC_ALL: 'C.UTF-8',
      HOME: '/tmp',
      PIP_NO_CACHE_DIR: '1',
      PIP_PROGRESS_BAR: 'off',
      ...configuration.env,
    },
    timeoutMs: 20 * MINUTE_MS,
    outputBytesMax: LAYER_BYTES_MAX,
  }
}
