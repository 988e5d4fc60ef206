import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { addKills, NO_OOM } from './oom-counter.ts'
import { parseOomKills, parseVictim } from './oom.ts'

const line = (constraint: string, group: string, task: string) =>
  `6,1234,99,-;oom-kill:constraint=${constraint},nodemask=(null),cpuset=x,mems_allowed=0,oom_memcg=${group},task_memcg=${group},task=${task},pid=321,uid=1900000033\n`

describe('the count of kills', () => {
  it('is read from both versions of cgroups', () => {
    assert.equal(parseOomKills('low 0\nhigh 0\nmax 12\noom 3\noom_kill 2\noom_group_kill 0\n'), 2)
    assert.equal(parseOomKills('oom_kill_disable 0\nunder_oom 0\noom_kill 7\n'), 7)
    assert.equal(parseOomKills('oom_kill_disable 0\nunder_oom 0\n'), undefined, 'before Linux 4.13')
    assert.equal(parseOomKills(''), undefined)
  })
  it('goes on over boots and never counts one twice', () => {
    const first = addKills(NO_OOM, 'a', 2)
    assert.equal(addKills(first, 'a', 2), first)
    assert.equal(addKills(first, 'a', 0), first, 'the cgroup is gone already')
    assert.equal(addKills(first, 'b', 0), first)
    const second = addKills(addKills(first, 'a', 3), 'b', 1)
    assert.deepEqual([second.before, second.ofBoot], [3, 1])
    assert.equal(addKills(NO_OOM, '', 0), NO_OOM)
  })
})

describe('the victim', () => {
  const path = '/polebean/abc123/i-00000000000000001'
  it('is the last of that cgroup', () => {
    const log =
      line('CONSTRAINT_MEMCG', path, 'python3') +
      line('CONSTRAINT_MEMCG', path, 'gunicorn: work,er') +
      line('CONSTRAINT_MEMCG', `${path}2`, 'another')
    assert.deepEqual(parseVictim(log, path), { process: 'gunicorn: work,er', ofMachine: false })
  })
  it('may be one of the whole machine', () => {
    assert.deepEqual(parseVictim(line('CONSTRAINT_NONE', path, 'node'), path), {
      process: 'node',
      ofMachine: true,
    })
  })
  it('is not known where the log says nothing', () => {
    assert.deepEqual(parseVictim('6,1,2,-;eth0 up\n', path), { process: '', ofMachine: false })
  })
  it('is told without what a terminal would act on', () => {
    assert.equal(parseVictim(line('CONSTRAINT_MEMCG', path, '\x1b[31mred'), path).process, '?[31mred')
  })
})
