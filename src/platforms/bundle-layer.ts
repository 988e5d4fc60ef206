// The first layer of every application: the unpacked bundle.
import { APP_DIR, MINUTE_MS, SYSTEM_PATH, SYSTEM_PYTHON, asset, keyOf, type PlannedBuild } from './plan.ts'
import { BUNDLE_LIMITS } from './bundle-entries.ts'

const UNPACKER_VERSION = '2'

export type BundleFile = {
  /** Where it lies on this machine (objects engine), for the sandbox. */
  path: string
  sha256Hex: string
}

/** `args` are switches of assets/unpack.py. Unpacked bundles do not depend on the interpreter. */
export function bundleLayer(
  bundle: BundleFile,
  platform: { name: string; version: string },
  args: string[],
): PlannedBuild {
  return {
    name: 'bundle',
    key: keyOf('bundle', bundle.sha256Hex, UNPACKER_VERSION, ...args),
    platform,
    inputs: [{ name: 'bundle.zip', path: bundle.path }],
    files: [{ name: 'unpack.py', content: asset('unpack.py'), mode: 0o644 }],
    needs: [],
    argv: [SYSTEM_PYTHON, '-I', '/build/in/unpack.py', '/build/in/bundle.zip', ...args],
    target: APP_DIR,
    env: { PATH: SYSTEM_PATH, LC_ALL: 'C.UTF-8' },
    timeoutMs: 5 * MINUTE_MS,
    // A little more than the limit on contents: folders and names take room too.
    outputBytesMax: BUNDLE_LIMITS.unpackedBytes + (256 << 20),
  }
}
