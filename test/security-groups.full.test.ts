// Security groups that settings name, on real engines as docs/guide.md has it: `eb create` with a group of the user's, a managed
// group of the load balancer, in place, and what is left when the environment is terminated.
import assert from 'node:assert/strict'
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { makeTestHome, root, runProgram } from './support/home.ts'

const NAME = 'shop-sg'
const HOST = `${NAME}.us-west-2.elasticbeanstalk.localhost`

describe('an environment whose settings name security groups', { concurrency: 1 }, () => {
  const home = makeTestHome()
  after(async () => assert.deepEqual(await home.remove(), []))
  const folder = join(home.dir, '../shop')
  const ids = { team: '', edge: '' }
  const eb = async (args: string[], status = 0) => {
    const ran = await home.client(['eb', ...args], { cwd: folder })
    assert.equal(ran.status, status, `eb ${args.join(' ')}\n${ran.stdout}\n${ran.stderr}`)
    return ran.stdout + ran.stderr
  }
  const group = async (name: string) => {
    const made = await home.aws([
      ...['ec2', 'create-security-group', '--group-name', name, '--description', 'of a test'],
    ])
    return (made as { GroupId: string }).GroupId
  }
  /** Names, what the environment made cut down to its logical name. */
  const names = (groups: { GroupName: string }[]) =>
    groups.map(({ GroupName }) => /AWSEB\w+/.exec(GroupName)?.[0] ?? GroupName).toSorted()
  const all = async () =>
    names((await home.aws(['ec2', 'describe-security-groups'])).SecurityGroups as { GroupName: string }[])
  const ofInstances = async () => {
    const { Reservations } = await home.aws([
      ...['ec2', 'describe-instances', '--filters', 'Name=instance-state-name,Values=running'],
    ])
    return (Reservations as { Instances: { SecurityGroups: { GroupName: string }[] }[] }[]).flatMap(
      ({ Instances }) => Instances.map(({ SecurityGroups }) => names(SecurityGroups)),
    )
  }
  const update = async (settings: Record<string, string>) => {
    const given = Object.entries(settings).map(
      ([name, value]) => `Namespace=aws:elbv2:loadbalancer,OptionName=${name},Value=${value}`,
    )
    const environment = ['--environment-name', NAME]
    await home.aws([
      ...['elasticbeanstalk', 'update-environment', ...environment, '--option-settings', ...given],
    ])
    await home.aws(['elasticbeanstalk', 'wait', 'environment-updated', '--environment-names', NAME])
  }

  /** Of a new connection: one that is kept was let in before. 000 is refused. */
  const answer = async () => {
    const said = ['-s', '-o', '/dev/null', '-w', '%{http_code}', '-H', `Host: ${HOST}`]
    return (await runProgram(['curl', ...said, `http://127.0.0.1:${home.settings().ports.http}/`])).stdout
  }

  before(async () => {
    cpSync(join(root, 'samples/flask-guestbook'), folder, { recursive: true })
    await home.polebean(['start'])
    ids.team = await group('team')
    ids.edge = await group('edge')
  })

  it('is made by eb, with the group beside its own', async () => {
    await eb(['init', 'shop', '-p', 'python-3.11', '--region', 'us-west-2'])
    const { Vpcs } = await home.aws(['ec2', 'describe-vpcs'])
    const vpc = ['--vpc.id', (Vpcs as { VpcId: string }[])[0]!.VpcId, '--vpc.elbpublic']
    const create = ['create', NAME, '--elb-type', 'application', '-c', NAME, ...vpc, '--vpc.securitygroups']
    assert.match(await eb([...create, 'sg-0123456789abcdef0'], 4), /'sg-0123456789abcdef0' does not exist/)
    assert.match(await eb([...create, ids.team]), /Successfully launched environment/)
    assert.deepEqual(await ofInstances(), [['AWSEBSecurityGroup', 'team']])
    assert.equal(await answer(), '200')
  })

  it('is reached by whom the managed group of its load balancer lets in', async () => {
    await update({ ManagedSecurityGroup: ids.edge, SecurityGroups: ids.edge })
    assert.deepEqual(await all(), ['AWSEBSecurityGroup', 'default', 'edge', 'team'])
    assert.equal(await answer(), '000')
    await home.aws([
      ...['ec2', 'authorize-security-group-ingress', '--group-id', ids.edge, '--protocol', 'tcp'],
      ...['--port', '80', '--cidr', '127.0.0.1/32'],
    ])
    assert.equal(await answer(), '200')
  })

  it('leaves the groups of the user when it is terminated', async () => {
    await eb(['terminate', NAME, '--force'])
    assert.deepEqual(await all(), ['default', 'edge', 'team'])
  })
})
