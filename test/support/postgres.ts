// A database instance as a user makes one: PostgreSQL from this machine's packages, started by user data.
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as ec2 from '@aws-sdk/client-ec2'
import { root, runProgram } from './home.ts'
import { until } from './world.ts'

const SCRIPT = join(root, 'samples/flask-postgres/database.sh')
/** As the script has it. */
export const PASSWORD = /^password=(\S+)$/m.exec(readFileSync(SCRIPT, 'utf8'))![1]!

/** Folder of PostgreSQL's programs; undefined when the package `postgresql` is not there. */
export const postgresPrograms = (): string | undefined =>
  globSync('/usr/lib/postgresql/*/bin/postgres')
    .map((path) => join(path, '..'))
    .toSorted((a, b) => Number(a.split('/')[4]) - Number(b.split('/')[4]))
    .at(-1)

export const NO_POSTGRES =
  'there is no PostgreSQL (apt-get install postgresql); npm run test:full installs it'

/** Launches it with these groups and waits until it runs; PostgreSQL itself comes up a few seconds later. */
export async function launchDatabase(
  client: ec2.EC2Client,
  SecurityGroupIds: string[],
): Promise<{ id: string; address: string }> {
  const { Images = [] } = await client.send(new ec2.DescribeImagesCommand({ Owners: ['self'] }))
  const { Instances = [] } = await client.send(
    new ec2.RunInstancesCommand({
      ...{ ImageId: Images[0]!.ImageId, InstanceType: 't3.micro', MinCount: 1, MaxCount: 1 },
      ...{ SecurityGroupIds, UserData: readFileSync(SCRIPT).toString('base64') },
      TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: 'Name', Value: 'database' }] }],
    }),
  )
  const id = Instances[0]!.InstanceId!
  return until('the database instance runs', async () => {
    const { Reservations = [] } = await client.send(new ec2.DescribeInstancesCommand({ InstanceIds: [id] }))
    const { State, PrivateIpAddress } = Reservations[0]!.Instances![0]!
    return State?.Name === 'running' && { id, address: PrivateIpAddress! }
  })
}

/** Whether PostgreSQL takes connections there, asked out of a namespace (`prefix`). */
export const isReady = async (prefix: string[], address: string): Promise<boolean> =>
  (await runProgram([...prefix, join(postgresPrograms()!, 'pg_isready'), '-h', address, '-t', '1']))
    .status === 0
