import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DeclaredError } from '../../kernel/errors.ts'
import { send, type Sent } from '../testing/send.ts'
import { makeStubGateway } from '../testing/stub-gateway.ts'

const stub = makeStubGateway()
const ask = (body: string, options: Sent = {}) => send(stub.gateway, { ...options, body })
const inputOf = async (body: string, options: Sent = {}) => {
  stub.answer({})
  const answer = await ask(body, options)
  assert.equal(answer.status, 200, answer.body)
  return stub.asked()!.input
}
const ec2 = { service: 'ec2' }

describe('input of the query protocol', () => {
  it('reads lists in the order of their indices, not of their coming', async () => {
    assert.deepEqual(
      await inputOf(
        'Action=DescribeEnvironments&EnvironmentNames.member.2=b&EnvironmentNames.member.10=j' +
          [1, 3, 4, 5, 6, 7, 8, 9].map((index) => `&EnvironmentNames.member.${index}=${index}`).join(''),
      ),
      { EnvironmentNames: ['1', 'b', '3', '4', '5', '6', '7', '8', '9', 'j'] },
    )
  })
  it('takes an empty parameter for an empty list, as the EB CLI sends it', async () => {
    assert.deepEqual(await inputOf('Action=CreateEnvironment&ApplicationName=a&Tags=&OptionSettings='), {
      ApplicationName: 'a',
      Tags: [],
      OptionSettings: [],
    })
  })
  it('ignores parameters that the model does not have', async () => {
    assert.deepEqual(
      await inputOf('Action=DescribeEnvironments&Colour=red&Version=2010-12-01&EnvironmentNames.entry.1=x'),
      {
        EnvironmentNames: [],
      },
    )
  })
  it('refuses parameters that the model does not have in ec2, wherever they are', async () => {
    for (const parameter of [
      'Colour=red',
      'InstanceId.1.Colour=red',
      'Filter.1.Colour=red',
      'InstanceIds.1=i-1',
      '__proto__.polluted=1',
    ]) {
      const { code, message } = await ask(`Action=DescribeInstances&${parameter}`, ec2)
      assert.equal(code, 'UnknownParameter', parameter)
      assert.match(message, /^The parameter .+ is not recognized$/)
    }
    const path = '/?Action=DescribeRegions&Version=2016-11-15&X-Amz-Date=1&AllRegions=true'
    assert.deepEqual(await inputOf('', { ...ec2, method: 'GET', path }), { AllRegions: true })
  })
  it('refuses a list with a gap, with index 0 and with a word for an index', async () => {
    for (const parameter of [
      'Tags.member.2.Key=a',
      'Tags.member.0.Key=a',
      'Tags.member.one.Key=a',
      'Tags.member.99999999.Key=a',
    ])
      assert.equal(
        (await ask(`Action=CreateEnvironment&ApplicationName=a&${parameter}`)).code,
        'MalformedQueryString',
      )
  })
  it('reads timestamps with microseconds, offsets, and without time', async () => {
    for (const [text, iso] of [
      ['2026-11-23T05:17:35.406000Z', '2026-11-23T05:17:35.406Z'],
      ['2026-11-23T05:17:35', '2026-11-23T05:17:35.000Z'],
      ['2026-11-23T05:17:35+01:30', '2026-11-23T03:47:35.000Z'],
      ['2026-11-23', '2026-11-23T00:00:00.000Z'],
      ['1795411055.5', '2026-11-23T05:17:35.500Z'],
    ]) {
      const { StartTime } = await inputOf(`Action=DescribeEvents&StartTime=${encodeURIComponent(text!)}`)
      assert.equal((StartTime as Date).toISOString(), iso)
    }
  })
  it('refuses values that are not of their type', async () => {
    for (const parameter of [
      'MaxRecords=many',
      'StartTime=yesterday',
      'StartTime=2026-02-30',
      'MaxRecords=0x10',
      'MaxRecords=Infinity',
    ])
      assert.equal((await ask(`Action=DescribeEvents&${parameter}`)).code, 'MalformedInput', parameter)
    assert.equal((await ask('Action=DescribeEnvironments&IncludeDeleted=perhaps')).code, 'MalformedInput')
  })
  it('decodes plus and percent, and refuses what is neither', async () => {
    assert.deepEqual(await inputOf('Action=CreateApplication&ApplicationName=a+b%2Bc%C3%BC'), {
      ApplicationName: 'a b+cü',
    })
    for (const text of ['%', '%zz', '%FF'])
      assert.equal(
        (await ask(`Action=CreateApplication&ApplicationName=${text}`)).code,
        'MalformedQueryString',
      )
  })
  it('reads the members that only the EB CLI knows', async () => {
    assert.deepEqual(
      await inputOf(
        'Action=CreateEnvironment&ApplicationName=a&TemplateSpecification.TemplateSnippets.member.1.SnippetName=s' +
          '&TemplateSpecification.TemplateSnippets.member.1.Order=3&TemplateSpecification.TemplateSource.SolutionStackName=st',
      ),
      {
        ApplicationName: 'a',
        TemplateSpecification: {
          TemplateSource: { SolutionStackName: 'st' },
          TemplateSnippets: [{ SnippetName: 's', Order: 3 }],
        },
      },
    )
  })
  it('takes a GET as well as a POST', async () => {
    assert.deepEqual(
      await inputOf('', { method: 'GET', path: '/?Action=CreateApplication&ApplicationName=x' }),
      { ApplicationName: 'x' },
    )
  })
  it('does not touch the prototype of objects', async () => {
    const input = await inputOf(
      'Action=CreateApplication&ApplicationName=x&__proto__.polluted=1&constructor.prototype.polluted=1',
    )
    assert.equal('polluted' in input, false)
  })
})

describe('validation', () => {
  it('words missing members as AWS does, all at once, with their paths', async () => {
    const one = await ask('Action=CreateApplication')
    assert.deepEqual(
      [one.status, one.code, one.message],
      [
        400,
        'ValidationError',
        "1 validation error detected: Value null at 'applicationName' failed to satisfy constraint: Member must not be null",
      ],
    )
    const two = await ask('Action=CreateApplicationVersion')
    assert.match(
      two.message,
      /^2 validation errors detected: Value null at 'applicationName' .*; Value null at 'versionLabel' /,
    )
    const nested = await ask('Action=CreateOrUpdateTags&Tags.member.1.Value=x', { service: 'autoscaling' })
    assert.match(nested.message, /Value null at 'tags.1.member.key'/)
  })
  it('says MissingParameter in ec2', async () => {
    const answer = await ask('Action=RunInstances&ImageId=ami-1', ec2)
    assert.deepEqual(
      [answer.code, answer.message],
      ['MissingParameter', 'The request must contain the parameter MaxCount, MinCount'],
    )
  })
})

describe('answers of the query protocol', () => {
  it('wraps results and repeats the request id in the body and a header', async () => {
    stub.answer({ Available: true, FullyQualifiedCNAME: 'a<b>&"c"\u0001' })
    const { body, headers } = await ask('Action=CheckDNSAvailability&CNAMEPrefix=a')
    assert.equal(
      body,
      '<CheckDNSAvailabilityResponse xmlns="http://elasticbeanstalk.amazonaws.com/docs/2010-12-01/"><CheckDNSAvailabilityResult>' +
        '<Available>true</Available>' +
        '<FullyQualifiedCNAME>a&lt;b&gt;&amp;&quot;c&quot;\ufffd</FullyQualifiedCNAME></CheckDNSAvailabilityResult>' +
        `<ResponseMetadata><RequestId>${headers['x-amzn-RequestId']}</RequestId></ResponseMetadata></CheckDNSAvailabilityResponse>`,
    )
    assert.match(headers.Date!, /^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/)
  })
  it('has metadata also when there is no result', async () => {
    stub.answer(() => undefined)
    const { body } = await ask('Action=DeleteApplication&ApplicationName=a')
    assert.match(
      body,
      /^<DeleteApplicationResponse xmlns="[^"]+"><ResponseMetadata><RequestId>[0-9a-f-]{36}<\/RequestId><\/ResponseMetadata><\/DeleteApplicationResponse>$/,
    )
  })
  it('has an element for an empty list and none for what is not set', async () => {
    stub.answer({ Environments: [], NextToken: undefined })
    assert.match(
      (await ask('Action=DescribeEnvironments')).body,
      /<DescribeEnvironmentsResult><Environments><\/Environments><\/DescribeEnvironmentsResult>/,
    )
  })
  it('answers ec2 in its own form, with <return> where there is no output', async () => {
    stub.answer({ Reservations: [] })
    const { body } = await ask('Action=DescribeInstances', ec2)
    assert.match(
      body,
      /<DescribeInstancesResponse xmlns="http:\/\/ec2.amazonaws.com\/doc\/2016-11-15\/"><requestId>[0-9a-f-]{36}<\/requestId><reservationSet><\/reservationSet><\/DescribeInstancesResponse>$/,
    )
    assert.match(
      (await ask('Action=CreateTags&ResourceId.1=i-1&Tag.1.Key=a&Tag.1.Value=b', ec2)).body,
      /<return>true<\/return>/,
    )
    assert.deepEqual(stub.asked()?.input, { Resources: ['i-1'], Tags: [{ Key: 'a', Value: 'b' }] })
  })
})

describe('errors', () => {
  const failing = (error: Error) =>
    stub.answer(() => {
      throw error
    })
  it('are answered as declared, in the shape of each protocol', async () => {
    failing(new DeclaredError('InvalidParameterValue', "No Application named 'a&b' found."))
    const { status, body } = await ask('Action=DescribeEnvironments')
    assert.equal(status, 400)
    assert.match(
      body,
      /^<ErrorResponse xmlns="[^"]+"><Error><Type>Sender<\/Type><Code>InvalidParameterValue<\/Code><Message>No Application named 'a&amp;b' found.<\/Message><\/Error><RequestId>[0-9a-f-]{36}<\/RequestId><\/ErrorResponse>$/,
    )
    assert.match(
      (await ask('Action=DescribeVpcs', ec2)).body,
      /<Response><Errors><Error><Code>InvalidParameterValue<\/Code>.*<\/Errors><RequestID>[0-9a-f-]{36}<\/RequestID><\/Response>$/,
    )
  })
  it('get the code and status of the model when named by their shape', async () => {
    failing(new DeclaredError('OperationInProgressException', 'busy'))
    assert.equal((await ask('Action=RebuildEnvironment')).code, 'OperationInProgressFailure')
    failing(new DeclaredError('EntityAlreadyExistsException', 'there'))
    const iam = await ask('Action=CreateUser&UserName=a', { service: 'iam' })
    assert.deepEqual([iam.status, iam.code], [409, 'EntityAlreadyExists'])
  })
  it('of ours are InternalFailure, logged whole and counted', async () => {
    const lines: unknown[] = []
    const log = {
      info() {},
      warn() {},
      error: (...line: unknown[]) => void lines.push(line),
      child: () => log,
    }
    const own = makeStubGateway({ log })
    own.answer(() => {
      throw new Error('secret detail')
    })
    const answer = await send(own.gateway, { body: 'Action=DescribeEnvironments' })
    assert.deepEqual([answer.status, answer.code], [500, 'InternalFailure'])
    assert.doesNotMatch(answer.body, /secret detail/)
    assert.match(String(((lines[0] as unknown[])[1] as { error: Error }).error.stack), /secret detail/)
    assert.equal(own.gateway.counters().bugs, 1)
  })
})

describe('what is not there', () => {
  it('is said by name, with 400, since the EB CLI retries 5xx', async () => {
    const asks: [Promise<{ status: number; code: string; body: string }>, string, RegExp][] = [
      [ask('Action=FlyToTheMoon'), 'InvalidAction', /FlyToTheMoon/],
      [ask('Action=FlyToTheMoon', ec2), 'InvalidAction', /FlyToTheMoon/],
      [ask('Action=toString'), 'InvalidAction', /toString/],
      [
        ask('Action=AcceptTransitGatewayVpcAttachment', ec2),
        'UnsupportedOperation',
        /ec2:AcceptTransitGatewayVpcAttachment is not implemented/,
      ],
      [ask('Version=2010-12-01'), 'MissingAction', /action/],
      [ask('Action=ListStacks', { service: 'cloudformation' }), 'UnsupportedOperation', /cloudformation/],
      [
        // Of the other version.
        ask('Action=CreateRule&Version=2012-06-01', { service: 'elasticloadbalancing' }),
        'InvalidAction',
        /CreateRule/,
      ],
      [
        ask('Action=DescribeEnvironments', { region: 'eu-west-1' }),
        'InvalidParameterValue',
        /serves region us-west-2; the request was signed for region eu-west-1/,
      ],
      [
        send(stub.gateway, { method: 'GET', path: '/b/k?acl', service: 's3', region: 'eu-west-1' }),
        'AuthorizationHeaderMalformed',
        /<Region>us-west-2<\/Region>/,
      ],
      [
        send(stub.gateway, { path: '/b/k?select&select-type=2', service: 's3' }),
        'UnsupportedOperation',
        /s3:SelectObjectContent is not implemented/,
      ],
      [
        send(stub.gateway, { method: 'GET', path: '/b?session', service: 's3' }),
        'UnsupportedOperation',
        /s3:CreateSession is not implemented/,
      ],
      ...['uploadId=1', 'partNumber=1'].map((half): (typeof asks)[number] => [
        send(stub.gateway, { method: 'PUT', path: `/b/k?${half}`, service: 's3', body: 'part' }),
        'InvalidArgument',
        /A part is put with both uploadId and partNumber/,
      ]),
    ]
    for (const [asked, code, text] of asks) {
      const answer = await asked
      assert.deepEqual([answer.status, answer.code], [400, code])
      assert.match(answer.body, text)
    }
  })
  it('is refused for the operations of a service that are not joined', async () => {
    const own = makeStubGateway({
      services: { elasticbeanstalk: { operations: { describeEvents: () => ({ Events: [] }) } } },
    })
    assert.equal((await send(own.gateway, { body: 'Action=DescribeEvents' })).status, 200)
    const answer = await send(own.gateway, { body: 'Action=DescribeEnvironments' })
    assert.equal(answer.message, 'elasticbeanstalk:DescribeEnvironments is not implemented by Polebean.')
  })
  it('fails at the start when an operation is joined that the model does not have', () => {
    assert.throws(
      () => makeStubGateway({ services: { sts: { operations: { flyToTheMoon: () => ({}) } } } }),
      /flyToTheMoon/,
    )
    assert.throws(() => makeStubGateway({ services: { moon: { operations: {} } } }), /moon/)
  })
  it('answers iam and sts for any region', async () => {
    stub.answer({})
    assert.equal((await ask('Action=GetCallerIdentity', { service: 'sts', region: 'us-east-1' })).status, 200)
    assert.equal((await ask('Action=ListRoles', { service: 'iam', region: 'us-east-1' })).status, 200)
  })
})

describe('the context of an operation', () => {
  it('tells account, region, caller, request id and the endpoint that was reached', async () => {
    stub.answer({})
    const { headers } = await ask('Action=DescribeEnvironments')
    assert.deepEqual(stub.asked()?.context, {
      account: '000000000000',
      region: 'us-west-2',
      caller: {
        accessKeyId: 'PBAKTESTTESTTESTTEST',
        arn: 'arn:aws:iam::000000000000:root',
        userId: '000000000000',
      },
      requestId: headers['x-amzn-RequestId'],
      endpoint: 'http://localhost:4000',
    })
  })
  it('is made inside of a transaction, except for operations declared async', async () => {
    const seen: string[] = []
    const own = makeStubGateway({
      store: {
        transaction(body) {
          seen.push('begin')
          const out = body()
          seen.push('commit')
          return out
        },
      },
      services: {
        sts: { operations: { getCallerIdentity: () => void seen.push('sync') } },
        s3: {
          operations: {
            listBuckets: async () => {
              seen.push('async')
              return {}
            },
          },
        },
      },
    })
    await send(own.gateway, { body: 'Action=GetCallerIdentity', service: 'sts' })
    await send(own.gateway, { method: 'GET', service: 's3' })
    assert.deepEqual(seen, ['begin', 'sync', 'commit', 'async'])
  })
})

describe('too many requests at once', () => {
  it('are told to slow down, in the code that clients of the service retry', async () => {
    const own = makeStubGateway({ limits: { concurrentMax: 1 } })
    const gate = Promise.withResolvers<void>()
    own.answer(() => gate.promise.then(() => ({})))
    const first = send(own.gateway, { method: 'GET', service: 's3' })
    assert.equal((await send(own.gateway, { body: 'Action=DescribeEnvironments' })).code, 'Throttling')
    const s3 = await send(own.gateway, { method: 'GET', service: 's3' })
    assert.deepEqual([s3.status, s3.code], [503, 'SlowDown'])
    const vpcs = await send(own.gateway, { body: 'Action=DescribeVpcs', service: 'ec2' })
    assert.deepEqual([vpcs.status, vpcs.code], [503, 'RequestLimitExceeded'])
    gate.resolve()
    assert.equal((await first).status, 200)
    own.answer({})
    assert.equal((await send(own.gateway, { body: 'Action=DescribeEnvironments' })).status, 200)
  })
})
