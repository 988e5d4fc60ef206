import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { modelOf } from '../models.ts'
import { readScalar } from './scalars.ts'

describe('a number in a request', () => {
  it('is an integer unless the model says that it takes fractions', () => {
    const integer = { type: 'integer' } as const
    for (const [text, value] of [
      ['0', 0],
      ['-7', -7],
      ['+7', 7],
      ['9007199254740991', 9007199254740991],
    ] as const)
      assert.equal(readScalar(integer, text), value)
    for (const text of ['2.5', '1e3', '9007199254740992', '99999999999999999999', 'NaN', '', ' 1', '0x10'])
      assert.equal(readScalar(integer, text), undefined, text)
    assert.equal(readScalar({ type: 'double' }, '2.5'), 2.5)
    assert.equal(readScalar({ type: 'double' }, '-1e3'), -1000)
    assert.equal(readScalar({ type: 'double' }, 'Infinity'), undefined)
  })

  it('takes fractions where AWS has doubles', () => {
    const typeOf = (operation: string, member: string) =>
      modelOf('autoscaling')
        .operation(operation)!
        .input!.members.find(({ name }) => name === member)!.shape.type
    assert.equal(typeOf('ExecutePolicy', 'MetricValue'), 'double')
    assert.equal(typeOf('SetDesiredCapacity', 'DesiredCapacity'), 'integer')
  })
})
