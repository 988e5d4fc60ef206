// A disk that somebody else holds when an instance is to start.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, it } from 'node:test'
import { systemClock as clock } from '../../kernel/clock.ts'
import { runOk } from '../../kernel/process.ts'
import { waitUntilDetached } from './disk.ts'

const dir = mkdtempSync(join(tmpdir(), 'pbt-disk-'))
after(() => rmSync(dir, { recursive: true }))

it('is waited for, and who holds it since is made to let go', async () => {
  const image = join(dir, 'disk.img')
  writeFileSync(image, '')
  truncateSync(image, 1 << 20)
  const device = (await runOk(['losetup', '--find', '--show', image])).trim()
  let isHeld = true
  const release = async () => {
    if (isHeld) await runOk(['losetup', '--detach', device])
    isHeld = false
  }
  try {
    await waitUntilDetached(clock, image, release)
    assert.equal(isHeld, false)
    // Nobody is disturbed where nobody holds it.
    await waitUntilDetached(clock, image, () => assert.fail('it is not held'))
  } finally {
    await release()
  }
})
