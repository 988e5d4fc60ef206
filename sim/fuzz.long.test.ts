// Every implemented operation of the real services, asked with members of the model that hold what is there, what is
// not, and rubbish: never a 5xx, never a throw, no reconciler that fails on what was left in the rows.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isServiceName, modelOf, type ServiceName } from '../src/gateway/models.ts'
import type { OperationModel } from '../src/gateway/model.ts'
import { call, putObject, send } from './client.ts'
import { makeFuzz } from './fuzz-requests.ts'
import { Life } from './life.ts'
import { BUCKET, prepare } from './shop.ts'
import { makeWorld } from './world.ts'

const SEED = 20261126
const ROUNDS = 40
const STACK = '64bit Amazon Linux 2023 v4.6.0 running Python 3.11'
const scopes: Partial<Record<ServiceName, string>> = { elasticloadbalancingv2: 'elasticloadbalancing' }

describe('the real services', () => {
  it(`answer whatever they are asked below 500, and go on (seed ${SEED})`, async () => {
    const world = makeWorld(SEED)
    const life = new Life(world)
    const fuzz = makeFuzz(SEED, {
      Bucket: BUCKET,
      Key: 'a/key',
      EnvironmentName: 'shop-prod',
      VersionLabel: 'v1',
      Stack: STACK,
    })
    await prepare(world, life)
    await call(world, life, 'CreateEnvironment', {
      ApplicationName: 'shop',
      EnvironmentName: 'shop-prod',
      VersionLabel: 'v1',
      SolutionStackName: STACK,
    })
    await world.clock.run(60_000)
    await putObject(world, life, BUCKET, 'a/key', 'content')
    const { id = '' } = world.store.get<{ id: string }>('select id from route53_zone') ?? {}
    fuzz.harvest(`<HostedZoneId>${id}</HostedZoneId><Id>/hostedzone/${id}</Id>`)

    const operations = operationsOf(life)
    const answered = new Map<string, number>()
    for (let round = 0; round < ROUNDS; round++)
      for (const { service, operation } of fuzz.shuffled(operations)) {
        // What deletes and terminates comes late and seldom, or there would soon be nothing left to ask of.
        const ends = /^(Delete|Terminate|Rebuild|AbortEnv)/.test(operation.name)
        if (ends && (round < ROUNDS / 2 || fuzz.below(2) > 0)) continue
        const { method, path, headers, body } = fuzz.request(service, operation)
        const scope = scopes[service] ?? service
        const { status, text } = await send(world, life, scope, method, path, headers, body)
        fuzz.harvest(text)
        if (status < 300) answered.set(operation.name, (answered.get(operation.name) ?? 0) + 1)
        if (fuzz.below(200) === 0) await world.clock.run(2_000)
      }
    await world.clock.run(10 * 60_000)
    const failed = world.logged.filter((line) => /"level":"error"/.test(line))
    assert.deepEqual(failed.slice(0, 3), [], `${failed.length} failures were logged`)
    assert.equal(life.gateway.counters().bugs, 0)
    // A fuzz that is always refused at the door would prove nothing.
    const never = operations.filter(({ operation }) => !answered.has(operation.name))
    assert.ok(
      never.length < operations.length / 6,
      `never answered: ${never.map(({ operation }) => operation.name).join(', ')}`,
    )
  })
})

type Asked = { service: ServiceName; operation: OperationModel }

function operationsOf(life: Life): Asked[] {
  return Object.entries(life.plane.services).flatMap(([service, { operations }]) => {
    if (!isServiceName(service)) return []
    const model = modelOf(service)
    return Object.keys(operations).map((key) => ({
      service,
      operation: model.operation(key[0]!.toUpperCase() + key.slice(1))!,
    }))
  })
}
