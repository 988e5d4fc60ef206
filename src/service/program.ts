// The command line as a unit may name it: a path that stays right when a newer version takes the place of this one.
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** Of a release (`…/<version>` with a link `current` beside it) the one behind that link; of a clone, its own. */
export function programPath(root = ROOT): string {
  const current = join(dirname(join(root, '.')), 'current')
  const isRelease = existsSync(join(root, 'release.json')) && existsSync(join(current, 'bin/polebean'))
  return join(isRelease ? current : root, 'bin/polebean')
}
