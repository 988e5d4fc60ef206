// Every operation of every table, both ways, against the AWS SDK's own serialisers and parsers.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import * as acm from '@aws-sdk/client-acm'
import * as autoscaling from '@aws-sdk/client-auto-scaling'
import * as cloudwatch from '@aws-sdk/client-cloudwatch'
import * as logs from '@aws-sdk/client-cloudwatch-logs'
import * as ec2 from '@aws-sdk/client-ec2'
import * as elasticbeanstalk from '@aws-sdk/client-elastic-beanstalk'
import * as elasticloadbalancingv2 from '@aws-sdk/client-elastic-load-balancing-v2'
import * as iam from '@aws-sdk/client-iam'
import * as route53 from '@aws-sdk/client-route-53'
import * as s3 from '@aws-sdk/client-s3'
import * as sts from '@aws-sdk/client-sts'
import { AwsJson1_0Protocol, AwsQueryProtocol, AwsSmithyRpcV2CborProtocol } from '@aws-sdk/core/protocols'
import { modelOf, type ServiceName } from './models.ts'
import { sampleOf, type SdkSchema } from './testing/samples.ts'
import { credentials, makeStubGateway, region } from './testing/stub-gateway.ts'

type SdkClient = { send(command: unknown): Promise<object>; destroy(): void }
type Sdk = { [name: string]: unknown }

const stub = makeStubGateway()
let listening: Awaited<ReturnType<typeof stub.listen>>
const clients: SdkClient[] = []

before(async () => {
  listening = await stub.listen()
})
after(async () => {
  for (const client of clients) client.destroy()
  await listening.close()
})

const options = () => ({ endpoint: listening.endpoint, region, credentials, maxAttempts: 1 })
const services: { service: ServiceName; spoken?: string; sdk: Sdk; client: () => SdkClient }[] = [
  {
    service: 'elasticbeanstalk',
    sdk: elasticbeanstalk,
    client: () => new elasticbeanstalk.ElasticBeanstalkClient(options()) as SdkClient,
  },
  {
    service: 'autoscaling',
    sdk: autoscaling,
    client: () => new autoscaling.AutoScalingClient(options()) as SdkClient,
  },
  { service: 'ec2', sdk: ec2, client: () => new ec2.EC2Client(options()) as SdkClient },
  {
    service: 'elasticloadbalancingv2',
    sdk: elasticloadbalancingv2,
    client: () => new elasticloadbalancingv2.ElasticLoadBalancingV2Client(options()) as SdkClient,
  },
  {
    service: 's3',
    sdk: s3,
    client: () =>
      new s3.S3Client({
        ...options(),
        forcePathStyle: true,
        requestChecksumCalculation: 'WHEN_REQUIRED',
      }) as SdkClient,
  },
  { service: 'iam', sdk: iam, client: () => new iam.IAMClient(options()) as SdkClient },
  {
    service: 'route53',
    sdk: route53,
    client: () => new route53.Route53Client(options()) as SdkClient,
  },
  { service: 'acm', sdk: acm, client: () => new acm.ACMClient(options()) as SdkClient },
  { service: 'sts', sdk: sts, client: () => new sts.STSClient(options()) as SdkClient },
  {
    service: 'logs',
    sdk: logs,
    client: () => new logs.CloudWatchLogsClient(options()) as SdkClient,
  },
  ...[AwsJson1_0Protocol, AwsQueryProtocol, AwsSmithyRpcV2CborProtocol].map((protocol) => ({
    service: 'cloudwatch' as const,
    spoken: protocol.name,
    sdk: cloudwatch,
    client: () => new cloudwatch.CloudWatchClient({ ...options(), protocol }) as SdkClient,
  })),
]

// Clients send these without a signature, for which there is no use here.
const unsigned = new Set(['AssumeRoleWithSAML', 'AssumeRoleWithWebIdentity'])

for (const { service, spoken = 'its own protocol', sdk, client } of services) {
  describe(`round trips of ${service} in ${spoken}`, () => {
    let connected: SdkClient
    before(() => {
      connected = client()
      clients.push(connected)
    })
    for (const operation of modelOf(service).operationNames.filter((name) => !unsigned.has(name)))
      it(`${operation} means the same to us and to the SDK`, async () =>
        roundTrip(service, operation, sdk, connected))
  })
}

async function roundTrip(
  service: ServiceName,
  operation: string,
  sdk: Sdk,
  client: SdkClient,
): Promise<void> {
  const schema = sdk[`${operation}$`] as SdkSchema[]
  const Command = sdk[`${operation}Command`] as new (input: object) => unknown
  const input = prepareInput(service, sampleOf(schema[4]!))
  const output = prepareOutput(service, sampleOf(schema[5]!))
  stub.answer(service === 's3' ? async (asked) => readStreams(asked).then(() => output) : output)
  const answered = await readStreams({ ...(await client.send(new Command({ ...input }))) })
  delete answered.$metadata
  const asked = stub.asked()
  assert.equal(asked?.operation, operation)
  assert.deepEqual(comparable(service, operation, asked.input), comparable(service, operation, input))
  assert.deepEqual(bytesAlike(answered), bytesAlike(output))
}

// Streams are replaced by their bytes, in place.
async function readStreams(value: Record<string, unknown>): Promise<Record<string, unknown>> {
  for (const [name, inner] of Object.entries(value))
    if (inner !== null && typeof inner === 'object' && Symbol.asyncIterator in inner)
      value[name] = Buffer.concat(await Array.fromAsync(inner as AsyncIterable<Uint8Array>))
  return value
}

// The SDK checks or rewrites some members before it sends.
function prepareInput(service: ServiceName, input: Record<string, unknown>): Record<string, unknown> {
  if (service !== 's3') return input
  if (input.Bucket) input.Bucket = 'some-bucket'
  if (input.Key) input.Key = 'a folder/../k+ey ü%41//x'
  for (const name of Object.keys(input)) if (rewrittenByS3.test(name)) delete input[name]
  return input
}

const rewrittenByS3 =
  /^(ContentLength|ContentMD5|ExpectedBucketOwner|Checksum.*|SSECustomerKey.*|CopySourceSSECustomerKey.*)$/

function prepareOutput(service: ServiceName, output: Record<string, unknown>): Record<string, unknown> {
  if (service !== 's3') return output
  const stream = Object.values(output).find((value) => Buffer.isBuffer(value))
  if (stream && output.ContentLength !== undefined) output.ContentLength = stream.length
  // The SDK would verify them.
  if (stream) for (const name of Object.keys(output)) if (/^Checksum(?!Type)/.test(name)) delete output[name]
  // S3's header has one name; the SDK answers it as a date and as text.
  if ('ExpiresString' in output) output.ExpiresString = (output.Expires as Date).toUTCString()
  return output
}

function comparable(service: ServiceName, operation: string, input: Record<string, unknown>): unknown {
  const kept = { ...input }
  if (service === 's3')
    for (const name of Object.keys(kept))
      if (rewrittenByS3.test(name) || name === 'ContentType') delete kept[name]
  // Presigned by the SDK, for the other region.
  if (operation === 'CopySnapshot')
    for (const name of ['PresignedUrl', 'DestinationRegion']) delete kept[name]
  return bytesAlike(kept)
}

// A Buffer is a Uint8Array, but not to deepEqual.
function bytesAlike(value: unknown): unknown {
  if (value instanceof Uint8Array) return new Uint8Array(value)
  if (value === null || typeof value !== 'object' || value instanceof Date) return value
  if (Array.isArray(value)) return value.map(bytesAlike)
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, bytesAlike(inner)]))
}
