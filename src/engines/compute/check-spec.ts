// Refuses what cannot be carried out before anything is made of it.
import { EngineError } from '../../kernel/errors.ts'
import { checkAddress } from '../network/names.ts'
import type { InstanceSize, InstanceSpec, Software } from './engine.ts'
import { checkPath, guestTree } from './guest-tree.ts'

const DISK_BYTES_LEAST = 64 << 20
const MEMORY_BYTES_LEAST = 16 << 20

export function checkSpec(spec: InstanceSpec): void {
  if (!/^i-[0-9a-f]{17}$/.test(spec.id))
    throw new EngineError(`not an instance id: ${JSON.stringify(spec.id)}`)
  checkAddress(spec.requestedAddress)
  atLeast('diskBytes', spec.diskBytes, DISK_BYTES_LEAST)
  checkSize(spec)
  atLeast('pids', spec.pids, 16)
  checkSoftware(spec.software)
}

export function checkSize({ cpu, memoryBytes }: InstanceSize): void {
  atLeast('memoryBytes', memoryBytes, MEMORY_BYTES_LEAST)
  atLeast('cpu', cpu, 0.01)
}

export function checkSoftware(software: Software): void {
  if (!Number.isSafeInteger(software.revision)) throw new EngineError(`not a revision: ${software.revision}`)
  for (const { digest, target } of software.layers) {
    checkPath(target)
    if (!/^sha256-[0-9a-f]{64}$/.test(digest))
      throw new EngineError(`not a digest: ${JSON.stringify(digest)}`)
  }
  guestTree({ address: null, env: software.env, files: software.files, extra: [] })
}

function atLeast(what: string, value: number, least: number) {
  if (!(value >= least)) throw new EngineError(`${what} must be at least ${least}, not ${value}`)
}
