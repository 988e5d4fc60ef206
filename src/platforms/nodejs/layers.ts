// The layers of a Node.js application: Node.js itself with npm, the bundle, and the packages.
import type { BundleListing } from '../bundle.ts'
import type { BundleFile } from '../bundle-layer.ts'
import type { Stack } from '../catalogue.ts'
import {
  APP_DIR,
  MINUTE_MS,
  SYSTEM_PATH,
  SYSTEM_PYTHON,
  asset,
  configured,
  enginePlatform,
  keyOf,
  type BuildConfiguration,
  type PlannedBuild,
} from '../plan.ts'
import type { PackageJson } from './package-json.ts'

/** Beside the bundle, where Node.js looks next: the packages do not have to be installed anew for every version. */
export const MODULES = '/var/app/node_modules'
export const RUNTIME = '/opt/nodejs'
export const NODE_PATH = `${RUNTIME}/bin:${SYSTEM_PATH}`

const RUNTIME_VERSION = '2'
const INSTALLER_VERSION = '2'
const LAYER_BYTES_MAX = 8 * 1024 ** 3

/** Node.js and npm by content, so that instances do not depend on where they came from. */
export function runtimeLayer(stack: Stack, npm: BuildConfiguration['npm']): PlannedBuild {
  return {
    name: 'runtime',
    key: keyOf('node-runtime', RUNTIME_VERSION, stack.runtime.build, npm?.dir ?? '', npm?.version ?? ''),
    platform: enginePlatform(stack),
    inputs: [{ name: 'node', path: stack.runtime.program }, ...(npm ? [{ name: 'npm', path: npm.dir }] : [])],
    files: [{ name: 'install-runtime.py', content: asset('install-runtime.py'), mode: 0o644 }],
    needs: [],
    argv: [SYSTEM_PYTHON, '-I', '/build/in/install-runtime.py'],
    target: RUNTIME,
    env: { PATH: SYSTEM_PATH, LC_ALL: 'C.UTF-8' },
    timeoutMs: 2 * MINUTE_MS,
    outputBytesMax: 1024 ** 3,
  }
}

type Input = {
  stack: Stack
  listing: BundleListing
  bundle: BundleFile
  configuration: BuildConfiguration
  packageJson: PackageJson
}

/** `modules`: the packages alone, keyed by the lock file. `application`: bundle and packages in one layer, where
 *  installing reads or writes the application's own files (scripts, workspaces, packages of the bundle). */
export function packagesLayer(kind: 'modules' | 'application', input: Input): PlannedBuild {
  const { stack, listing, bundle, configuration } = input
  const texts = ['package.json', 'package-lock.json', 'npm-shrinkwrap.json', '.npmrc'].flatMap((name) => {
    const content = listing.texts[name]
    return content === undefined ? [] : [{ name: `app.${name}`, content, mode: 0o644 }]
  })
  const whole = kind === 'application'
  const content = whole ? [bundle.sha256Hex] : texts.flatMap(({ name, content: text }) => [name, text])
  return {
    name: 'dependencies',
    key: keyOf(
      `node-${kind}`,
      INSTALLER_VERSION,
      stack.runtime.build,
      ...content,
      configured(configuration, 'npmrc'),
    ),
    platform: enginePlatform(stack),
    inputs: configuration.inputs,
    files: [
      ...configuration.files,
      ...texts,
      { name: 'install-node.py', content: asset('install-node.py'), mode: 0o644 },
    ],
    needs: [
      { name: 'runtime', target: RUNTIME },
      ...(whole ? [{ name: 'bundle' as const, target: '/build/bundle' }] : []),
    ],
    argv: [SYSTEM_PYTHON, '-I', '/build/in/install-node.py', kind],
    target: whole ? APP_DIR : MODULES,
    env: { PATH: NODE_PATH, LC_ALL: 'C.UTF-8', HOME: '/tmp', NODE_ENV: 'production', ...configuration.env },
    timeoutMs: 20 * MINUTE_MS,
    outputBytesMax: LAYER_BYTES_MAX,
  }
}
