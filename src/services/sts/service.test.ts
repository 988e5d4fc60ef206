import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { makeStsService } from './service.ts'

describe('sts', () => {
  it('answers the caller, and nothing else is implemented', () => {
    const { operations } = makeStsService()
    const account = '000000000000'
    const caller = { accessKeyId: 'PBKEY', arn: `arn:aws:iam::${account}:root`, userId: account }
    const context = { account, caller, region: 'us-west-2', requestId: 'r', endpoint: 'http://127.0.0.1:1' }
    assert.deepEqual(operations.getCallerIdentity(context, {}), {
      Account: account,
      Arn: 'arn:aws:iam::000000000000:root',
      UserId: account,
    })
    assert.deepEqual(Object.keys(operations), ['getCallerIdentity'])
  })
})
