// An instance of one's own, by `aws` as docs/guide.md has it: groups, key pair, launch template, user data, another type.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { makeTestHome } from './support/home.ts'

type Instance = { InstanceId: string; InstanceType: string; PrivateIpAddress: string; KeyName: string }

describe('an instance of one’s own', { concurrency: 1 }, () => {
  const home = makeTestHome()
  after(async () => assert.deepEqual(await home.remove(), []))
  const script = join(home.dir, '../setup.sh')
  let id = ''
  const find = async () => {
    const { Reservations } = await home.aws(['ec2', 'describe-instances', '--instance-ids', id])
    return (Reservations as { Instances: Instance[] }[])[0]!.Instances[0]!
  }
  const wait = (state: string) => home.aws(['ec2', 'wait', `instance-${state}`, '--instance-ids', id])

  before(async () => {
    writeFileSync(script, '#!/bin/sh\necho "set up as $(id -un)"\n')
    await home.polebean(['start'])
  })

  it('is launched by a template, with groups, a key pair and user data', async () => {
    const { GroupId } = (await home.aws([
      ...['ec2', 'create-security-group', '--group-name', 'db', '--description', 'of a test'],
    ])) as { GroupId: string }
    await home.aws([
      ...['ec2', 'authorize-security-group-ingress', '--group-id', GroupId, '--protocol', 'tcp'],
      ...['--port', '5432', '--source-group', GroupId],
    ])
    assert.match(
      await home.awsFails([
        ...['ec2', 'authorize-security-group-ingress', '--group-id', GroupId, '--protocol', 'tcp'],
        ...['--port', '70000', '--cidr', '0.0.0.0/0'],
      ]),
      /\(InvalidParameterValue\).*TCP\/UDP port \(70000\) out of range/,
    )
    await home.aws(['ec2', 'create-key-pair', '--key-name', 'mine', '--key-type', 'ed25519'])
    const { Images } = (await home.aws(['ec2', 'describe-images', '--owners', 'self'])) as {
      Images: { ImageId: string }[]
    }
    const data = { ImageId: Images[0]!.ImageId, KeyName: 'mine', SecurityGroupIds: [GroupId] }
    await home.aws([
      ...['ec2', 'create-launch-template', '--launch-template-name', 'web'],
      ...['--launch-template-data', JSON.stringify(data)],
    ])
    const launch = [
      ...['ec2', 'run-instances', '--launch-template', 'LaunchTemplateName=web'],
      ...['--instance-type', 't3.nano', '--user-data', `file://${script}`],
    ]
    assert.match(await home.awsFails([...launch, '--dry-run']), /\(DryRunOperation\)/)
    const { Instances } = (await home.aws(launch)) as { Instances: Instance[] }
    id = Instances[0]!.InstanceId
    await wait('running')
    const { InstanceType, KeyName } = await find()
    assert.deepEqual([InstanceType, KeyName], ['t3.nano', 'mine'])
  })

  it('gets another type while it is stopped, and keeps its address', async () => {
    const before = await find()
    const modify = ['ec2', 'modify-instance-attribute', '--instance-id', id, '--instance-type', 't3.micro']
    assert.match(await home.awsFails(modify), /\(IncorrectInstanceState\)/)
    await home.aws(['ec2', 'stop-instances', '--instance-ids', id])
    await wait('stopped')
    await home.aws(modify)
    await home.aws(['ec2', 'start-instances', '--instance-ids', id])
    await wait('running')
    const after = await find()
    assert.deepEqual([after.InstanceType, after.PrivateIpAddress], ['t3.micro', before.PrivateIpAddress])
  })

  it('has run its user data once, as its log says after its end', async () => {
    await home.aws(['ec2', 'terminate-instances', '--instance-ids', id])
    await wait('terminated')
    const { stdout } = await home.polebean(['logs', '--instance', id])
    assert.equal(stdout.split('set up as root').length, 2, stdout)
  })
})
