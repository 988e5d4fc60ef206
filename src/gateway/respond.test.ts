import assert from 'node:assert/strict'
import { it } from 'node:test'
import { EngineError } from '../kernel/errors.ts'
import { silentLog } from '../kernel/log.ts'
import { declaredOf } from './respond.ts'

const answered = (error: unknown) => {
  const { code, httpStatus, message } = declaredOf(error, 's3', silentLog, {})
  return [code, httpStatus, message]
}

it('a database that cannot be written is no bug: clients try again, and people know why', () => {
  const full = Object.assign(new Error('database or disk is full'), { errcode: 13 })
  assert.deepEqual(answered(full), [
    'ServiceUnavailable',
    503,
    "The home's database cannot be written: database or disk is full. Make room on its disk, then try again.",
  ])
  const mistake = Object.assign(new Error('no such table'), { errcode: 1 })
  assert.deepEqual(answered(mistake).slice(0, 2), ['InternalError', 500])
  assert.deepEqual(answered(new EngineError('the disk is full')), [
    'ServiceUnavailable',
    503,
    'the disk is full',
  ])
})
