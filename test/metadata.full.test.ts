// The instance metadata service as programs inside of instances see it, in a whole home.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { makeEngines, type RealEngines } from '../src/real-engines.ts'
import { makeTestHome } from './support/home.ts'
import { until } from './support/world.ts'

const BASE = 'http://169.254.169.254/latest'
const SCRIPT = '#!/bin/sh\necho "told ü"\n'
type Answer = { status: number; body: string; headers: string }

describe('the metadata of instances', { concurrency: 1, timeout: 300_000 }, () => {
  const home = makeTestHome()
  let engines: RealEngines
  let one = ''
  let other = ''

  const exec = async (id: string, argv: string[]) => {
    const ran = await engines.compute.exec(id, argv, { timeoutMs: 60_000, outputBytesMax: 65_536 })
    return { exit: ran.exit, text: ran.output.toString() }
  }
  /** A question of an instance; `path` begins below /latest. */
  const ask = async (id: string, path: string, ...more: string[]): Promise<Answer> => {
    const form = '\n%{http_code}\n%{header_json}'
    const { text } = await exec(id, ['curl', '-s', '-m', '10', '-w', form, `${BASE}${path}`, ...more])
    const [, body = '', status = '0', headers = ''] = /^([^]*)\n(\d{3})\n([^]*)$/.exec(text) ?? []
    return { status: Number(status), body, headers }
  }
  const put = (id: string, ...more: string[]) =>
    ask(id, '/api/token', '-X', 'PUT', '-H', 'X-aws-ec2-metadata-token-ttl-seconds: 60', ...more)
  const tokenOf = async (id: string) => (await put(id)).body
  const read = async (id: string, path: string) => {
    const token = await tokenOf(id)
    const { status, body } = await ask(id, path, '-H', `X-aws-ec2-metadata-token: ${token}`)
    assert.equal(status, 200, `${path}: ${body}`)
    return body
  }
  const modify = (id: string, ...options: string[]) =>
    home.aws(['ec2', 'modify-instance-metadata-options', '--instance-id', id, ...options])

  before(async () => {
    const script = join(home.dir, '../told.sh')
    writeFileSync(script, SCRIPT)
    await home.polebean(['start'])
    engines = makeEngines(home.settings())
    const { Images } = (await home.aws(['ec2', 'describe-images'])) as { Images: { ImageId: string }[] }
    await home.aws(['ec2', 'create-key-pair', '--key-name', 'mine', '--key-type', 'ed25519'])
    const { Instances } = (await home.aws([
      ...['ec2', 'run-instances', '--image-id', Images[0]!.ImageId, '--count', '2', '--key-name', 'mine'],
      ...['--instance-type', 't3.micro', '--user-data', `file://${script}`],
      ...['--tag-specifications', 'ResourceType=instance,Tags=[{Key=Team,Value=web ü}]'],
    ])) as { Instances: { InstanceId: string }[] }
    ;[one = '', other = ''] = Instances.map(({ InstanceId }) => InstanceId)
    await home.aws(['ec2', 'wait', 'instance-running', '--instance-ids', one, other])
  })
  after(async () => assert.deepEqual(await home.remove(), []))

  it('is what AWS’s API says of them', async () => {
    const { Reservations } = (await home.aws(['ec2', 'describe-instances', '--instance-ids', one])) as never
    console.log(Reservations)
    console.log(await until('', async () => await read(one, '/meta-data/')))
    console.log(await read(one, '/user-data'))
    console.log(await read(one, '/dynamic/instance-identity/document'))
    console.log(await put(one), await ask(one, '/meta-data'))
    console.log((await exec(one, ['ip', 'addr'])).text)
  })
})
