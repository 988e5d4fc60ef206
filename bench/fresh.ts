// From nothing but the machine's packages: a fresh clone, its npm packages, a new home, the dependencies of the sample, up
// to the first 200; against venv, pip and gunicorn by hand. Both fetch from the registries, so the network is in it.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readHome } from '../src/home.ts'
import { root } from '../test/support/home.ts'
import { firstAnswer } from './answers.ts'
import { must, prepareByHand } from './by-hand.ts'
import type { Figure } from './measure.ts'

export async function fresh(): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'pbbench-'))
  const clone = join(folder, 'clone')
  const dir = join(folder, 'home')
  const env = { POLEBEAN_HOME: dir, HOME: folder }
  try {
    const byHand = await prepareByHand(mkdtempSync(join(folder, 'hand-')))
    const handMs = byHand.tookMs + (await byHand.start())
    await must(['git', 'clone', '-q', root, clone])
    const startedAt = Date.now()
    const { stdout } = await must(['npm', 'run', '--silent', 'up'], { cwd: clone, env })
    const { hostname } = new URL(stdout.trim().split('\n').at(-1)!)
    const oursMs = (await firstAnswer(readHome(dir)!.ports.http, hostname)) - startedAt
    return [
      {
        what: 'fresh clone: `npm run up` to first 200, nothing cached but the distribution’s packages',
        value: `${(oursMs / 1000).toFixed(1)} s`,
        against: `venv, pip and gunicorn by hand: ${(handMs / 1000).toFixed(1)} s`,
        ratio: (oursMs / handMs).toFixed(1),
        budget: '',
        met: '',
      },
    ]
  } finally {
    await must([join(clone, 'bin/polebean'), 'down', '--purge', '--force'], { env }).catch(() => undefined)
    rmSync(folder, { recursive: true, force: true })
  }
}
