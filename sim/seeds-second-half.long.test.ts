import { describe } from 'node:test'
import { playSeeds } from './play-seeds.ts'

describe('the control plane under faults, second half', () => playSeeds(1))
