import { describeHosts } from './conformance.ts'
import { makeFakeHosts } from './fake.ts'

describeHosts('in memory', makeFakeHosts)
