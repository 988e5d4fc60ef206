// `setup` brings the engines: the same program that `npm run setup` runs. It needs no npm in a release.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { EXIT } from '../failure.ts'
import { ROOT } from '../release.ts'

/** Answers the exit status. */
export function setup({ yes }: { yes?: boolean }): number {
  const argv = [join(ROOT, 'tools/setup/main.mjs'), 'setup', ...(yes ? ['--yes'] : [])]
  return spawnSync(process.execPath, argv, { stdio: 'inherit' }).status ?? EXIT.failed
}
