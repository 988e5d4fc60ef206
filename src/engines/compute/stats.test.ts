import assert from 'node:assert/strict'
import { it } from 'node:test'
import { isRunnable, readRootStats } from './stats.ts'
import { parsePressure } from './stats-files.ts'

it('a task is runnable when it runs or waits for a disk, whatever its name', () => {
  const states = ['12 (python) R 1 1', '12 (a) R) S 1 1', '12 (b) D 1', '12 (R) S 1', '', undefined]
  assert.deepEqual(states.map(isRunnable), [true, false, true, false, false, false])
})

it('the time in which all waited is told in microseconds, where the kernel keeps it', () => {
  const pressure =
    'some avg10=0.00 avg60=0.00 avg300=0.00 total=900\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=412\n'
  assert.deepEqual([parsePressure(pressure), parsePressure('')], [{ ioWaitSeconds: 412e-6 }, {}])
})

it('a root file system has at least what is used of it, and none that is gone', () => {
  const { diskUsedBytes = 0, diskBytes = 0 } = readRootStats(process.pid)
  assert.ok(diskBytes >= diskUsedBytes && diskBytes > 0)
  assert.deepEqual(readRootStats(2 ** 30), {})
})
