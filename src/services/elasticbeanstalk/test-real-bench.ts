// A Beanstalk service on ec2, autoscaling and elasticloadbalancingv2 as they are, anew for each test of a file. It is today, so that
// certificates are valid, and version v1 of the application is there.
import { afterEach, beforeEach } from 'node:test'
import { systemClock } from '../../kernel/clock.ts'
import { makeCertificate } from '../../kernel/test-certificate.ts'
import { makeServicesWorld, type ServicesWorld } from '../testing/services-world.ts'
import { makeBench, type Bench } from './test-bench.ts'

export type RealBench = { world: ServicesWorld; bench: Bench }

export function onRealServices(): RealBench {
  const stage = {} as RealBench
  beforeEach(async () => {
    const world = makeServicesWorld()
    world.clock.setWall(systemClock.now() + 1_000 - world.clock.now())
    const bench = makeBench(world)
    await world.clock.run(1_000)
    bench.version('v1')
    Object.assign(stage, { world, bench })
  })
  afterEach(() => {
    stage.bench.end()
    stage.world.end()
  })
  return stage
}

export const option = (Namespace: string, OptionName: string, Value: string) => ({
  ...{ Namespace, OptionName, Value },
})
export type GivenOption = ReturnType<typeof option>

/** The ARN of a certificate for that name. */
export function imported({ world }: RealBench, name: string): string {
  const { certificate, key } = makeCertificate([name])
  const bytes = (text: string) => new Uint8Array(Buffer.from(text))
  const input = { Certificate: bytes(certificate), PrivateKey: bytes(key) }
  return world.acm.importCertificate(world.context, input).CertificateArn!
}
