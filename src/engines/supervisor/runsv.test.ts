// A runsv that ends while it is spoken to.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, it } from 'node:test'
import { Worker } from 'node:worker_threads'
import { command } from './runsv.ts'

const dir = mkdtempSync(join(tmpdir(), 'pb-runsv-'))
after(() => rmSync(dir, { recursive: true }))

it('takes a runsv that ends between the opening and the writing for one that is not there', async () => {
  mkdirSync(join(dir, 'supervise'))
  const pipe = join(dir, 'supervise', 'control')
  execFileSync('mkfifo', [pipe])
  // Readers that come and go in a thread of their own: within 100,000 commands the moment comes many times.
  const comesAndGoes = new Worker(
    `const { openSync, closeSync, constants } = require('node:fs')
     const { workerData } = require('node:worker_threads')
     for (;;) closeSync(openSync(workerData, constants.O_RDONLY | constants.O_NONBLOCK))`,
    { eval: true, workerData: pipe },
  )
  try {
    const seen = new Set<boolean>()
    for (let i = 0; i < 100_000 || (seen.size < 2 && i < 10_000_000); i++) seen.add(command(dir, 'd'))
    assert.deepEqual(seen, new Set([true, false]))
  } finally {
    await comesAndGoes.terminate()
  }
})
