import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { withSection } from './aws-profile.ts'

const LINES = ['region = us-west-2', 'endpoint_url = http://127.0.0.1:4777']
const WRITTEN = '[profile polebean]\nregion = us-west-2\nendpoint_url = http://127.0.0.1:4777\n'
const put = (text: string) => withSection(text, 'profile polebean', LINES)
const remove = (text: string) => withSection(text, 'profile polebean', undefined)

describe('the section of an AWS file', () => {
  it('is put behind what there is, also without a final newline', () => {
    assert.equal(put(''), WRITTEN)
    assert.equal(put('[default]\nregion = eu-central-1\n'), `[default]\nregion = eu-central-1\n${WRITTEN}`)
    assert.equal(put('[default]\nregion = eu-central-1'), `[default]\nregion = eu-central-1\n${WRITTEN}`)
  })
  it('is replaced where it is, however it is written, and only it', () => {
    const text = '[a]\nx = 1\n\n[ profile "polebean" ]\nregion = old\n  s3 =\n    x = 1\n\n# of b\n[b]\ny = 2'
    assert.equal(put(text), `[a]\nx = 1\n\n${WRITTEN}\n# of b\n[b]\ny = 2`)
    assert.equal(put(put(text)), put(text))
    assert.equal(remove(text), '[a]\nx = 1\n\n\n# of b\n[b]\ny = 2')
  })
  it('is removed also where it is the last, or there twice', () => {
    assert.equal(remove(`[a]\nx = 1\n${WRITTEN}`), '[a]\nx = 1\n')
    assert.equal(remove(`${WRITTEN}[a]\nx = 1\n${WRITTEN}`), '[a]\nx = 1\n')
    assert.equal(put(`${WRITTEN}[a]\nx = 1\n${WRITTEN}`), `${WRITTEN}[a]\nx = 1\n`)
    assert.equal(remove('[a]\nx = 1'), '[a]\nx = 1')
  })
  it('is no other profile that begins alike', () => {
    const text = '[profile polebean-2]\nx = 1\n[polebean]\ny = 2\n'
    assert.equal(remove(text), text)
  })
})
