import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { it } from 'node:test'
import type { InitProcess } from './runc-state.ts'
import { makeStatsReader } from './stats-reader.ts'

const begin = async () => {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' })
  await once(child, 'spawn')
  const stat = readFileSync(`/proc/${child.pid}/stat`, 'utf8')
  const startTicks = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19])
  return { child, process: { pid: child.pid!, startTicks, created: false } satisfies InitProcess }
}
const linkOf = (fd: string) => {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`)
  } catch {
    return '' // of the reading itself
  }
}
const opened = () =>
  readdirSync('/proc/self/fd').filter((fd) => /^\/proc\/\d+\/(statm|net\/dev)$/.test(linkOf(fd))).length
const ALL = new Set(['cpu', 'network'] as const)

it('files stay open while a boot lives, and are closed with it', async () => {
  const first = await begin()
  let now = first.process
  const reader = makeStatsReader({
    ...{ init: () => now, bootOf: () => String(now.pid), cgroupOf: () => '/polebean/none/i-1' },
  })
  const before = opened()
  assert.equal(reader.read('i-1', ALL)?.boot, String(first.process.pid))
  const whileOpen = opened()
  assert.ok(whileOpen > before)
  reader.read('i-1', ALL)
  assert.equal(opened(), whileOpen)
  first.child.kill('SIGKILL')
  await once(first.child, 'exit')
  assert.equal(reader.read('i-1', ALL), undefined)
  assert.equal(opened(), before)

  const second = await begin()
  now = second.process
  assert.equal(reader.read('i-1', ALL)?.boot, String(second.process.pid))
  reader.keepOnly(new Set())
  assert.equal(opened(), before)
  second.child.kill('SIGKILL')
})

it('a process that has the id of another is none of ours', async () => {
  const { child, process } = await begin()
  const reader = makeStatsReader({
    init: () => ({ ...process, startTicks: process.startTicks - 1 }),
    bootOf: () => 'boot',
    cgroupOf: () => '/polebean/none/i-1',
  })
  assert.equal(reader.read('i-1', ALL), undefined)
  child.kill('SIGKILL')
})
