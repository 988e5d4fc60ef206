// Instance types: vCPU and memory as AWS lists them (EC2 user guide, "Instance type specifications").
// They are the real limits: the engine gets exactly these.

export type InstanceType = {
  name: string
  vcpus: number
  memoryMiB: number
  architecture: 'x86_64' | 'arm64'
  burstable: boolean
}

const GIB = 1024
const SIZES = ['large', 'xlarge', '2xlarge', '4xlarge', '8xlarge'] as const

type Family = Pick<InstanceType, 'architecture' | 'burstable'> & {
  types: Record<string, [vcpus: number, memoryMiB: number]>
}

const burstable = (architecture: InstanceType['architecture'], vcpusOfSmall: number): Family => ({
  architecture,
  burstable: true,
  types: {
    nano: [vcpusOfSmall, GIB / 2],
    micro: [vcpusOfSmall, GIB],
    small: [vcpusOfSmall, 2 * GIB],
    medium: [2, 4 * GIB],
    large: [2, 8 * GIB],
    xlarge: [4, 16 * GIB],
    '2xlarge': [8, 32 * GIB],
  },
})

const fixed = (architecture: InstanceType['architecture'], memoryPerVcpuGiB: number): Family => ({
  architecture,
  burstable: false,
  types: Object.fromEntries(
    SIZES.map((size, index) => [size, [2 << index, (2 << index) * memoryPerVcpuGiB * GIB]]),
  ),
})

const graviton = (memoryPerVcpuGiB: number): Family => {
  const family = fixed('arm64', memoryPerVcpuGiB)
  return { ...family, types: { medium: [1, memoryPerVcpuGiB * GIB], ...family.types } }
}

const FAMILIES: Record<string, Family> = {
  t2: burstable('x86_64', 1),
  t3: burstable('x86_64', 2),
  t3a: burstable('x86_64', 2),
  t4g: burstable('arm64', 2),
  m5: fixed('x86_64', 4),
  m6i: fixed('x86_64', 4),
  m7i: fixed('x86_64', 4),
  m6g: graviton(4),
  m7g: graviton(4),
  c5: fixed('x86_64', 2),
  c6i: fixed('x86_64', 2),
  c7i: fixed('x86_64', 2),
  c6g: graviton(2),
  c7g: graviton(2),
}

export const instanceTypes: ReadonlyMap<string, InstanceType> = new Map(
  Object.entries(FAMILIES).flatMap(([family, { types, ...rest }]) =>
    Object.entries(types).map(([size, [vcpus, memoryMiB]]) => {
      const name = `${family}.${size}`
      return [name, { name, vcpus, memoryMiB, ...rest }] as const
    }),
  ),
)

/** The next type of the same family with more memory; undefined for the largest. */
export function nextLarger({ name, memoryMiB }: InstanceType): InstanceType | undefined {
  const family = name.slice(0, name.indexOf('.') + 1)
  return [...instanceTypes.values()]
    .filter((one) => one.name.startsWith(family) && one.memoryMiB > memoryMiB)
    .toSorted((a, b) => a.memoryMiB - b.memoryMiB)[0]
}

/** By the machine's architecture. */
export const DEFAULT_INSTANCE_TYPES = { x86_64: 't3.micro', arm64: 't4g.micro' } as const
