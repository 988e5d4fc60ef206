// Commands for who runs a home: who may reach whom, and a shell in an instance.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { join } from 'node:path'
import { run } from '../src/kernel/process.ts'
import { makeTestHome, root } from './support/home.ts'

const isRoot = process.getuid!() === 0

describe('who runs a home', { skip: isRoot ? false : 'needs root', timeout: 280_000 }, () => {
  const home = makeTestHome('operate')
  const say = async (...args: string[]) => (await home.polebean(args)).stdout.trim()
  const nft = (...words: string[]) =>
    run(['nsenter', `--net=/run/netns/pb-${home.settings().id}`, '--', 'nft', ...words])
  before(async () => {
    await home.polebean(['up', join(root, 'samples/node-hello'), '--name', 'shop'])
  })
  after(async () => assert.deepEqual(await home.remove(), []))

  it('reads who may reach whom', async () => {
    console.log(await say('firewall'))
    console.log(await say('firewall', '--json'))
    console.log(await say('firewall', '--from', 'outside', '--to', 'shop', '--port', '80'))
    for (const [from, to, port] of [
      ['host', 'shop', '80'],
      ['203.0.113.9', 'shop', '443'],
      ['shop', 'outside', '443'],
      ['outside', 'shop', '22'],
      ['shop', 'host', '22'],
    ])
      console.log(
        (
          await home.polebean(['firewall', '--from', from!, '--to', to!, '--port', port!], {
            status: to === 'outside' || (to === 'shop' && port === '80') ? 0 : 1,
          })
        ).stdout,
      )
    await nft('insert', 'rule', 'inet', 'polebean', 'forward', 'accept')
    const r = await home.polebean(['firewall'], { status: 1 })
    console.log(r.stdout, r.stderr)
  })
})
