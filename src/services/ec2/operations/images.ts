import { DeclaredError } from '../../../kernel/errors.ts'
import { pageOf } from '../../parameters.ts'
import type { Ec2Operations } from '../../generated/ec2.ts'
import { instanceTypes, type InstanceType } from '../catalogue.ts'
import type { Ec2Deps } from '../deps.ts'
import { paging, unsupported } from '../errors.ts'
import { filtered, type FilterTable } from '../filters.ts'
import { imageIdOf, IMAGE_NAME, ROOT_BYTES, ROOT_DEVICE } from '../image.ts'
import { machineArchitecture } from '../capacity.ts'

type Implemented = Pick<
  Ec2Operations,
  'describeImages' | 'describeInstanceTypes' | 'describeInstanceTypeOfferings'
>

export function makeImageOperations({ store, networkOf }: Ec2Deps): Implemented {
  return {
    describeImages(context, input) {
      const id = imageIdOf(context)
      const wrong = input.ImageIds?.filter((one) => one !== id) ?? []
      if (wrong.length > 0) throw noImage(wrong)
      const architecture = machineArchitecture(store)
      const owned = (input.Owners ?? []).every((owner) => ['self', 'amazon', context.account].includes(owner))
      const images = filtered(
        owned ? [{ id, architecture, owner: context.account }] : [],
        input.Filters,
        IMAGE_FILTERS,
        () => [],
      )
      const limits = { token: input.NextToken, max: input.MaxResults }
      const page = pageOf(images, (image) => image.id, limits, paging())
      return {
        NextToken: page.next,
        Images: page.items.map((image) => ({
          ImageId: image.id,
          Name: IMAGE_NAME,
          Description: IMAGE_DESCRIPTION,
          ImageLocation: `${context.account}/${IMAGE_NAME}`,
          ImageType: 'machine',
          Architecture: image.architecture,
          OwnerId: context.account,
          Public: true,
          State: 'available',
          CreationDate: '2026-01-01T00:00:00.000Z',
          Hypervisor: 'xen',
          VirtualizationType: 'hvm',
          RootDeviceType: 'ebs',
          RootDeviceName: ROOT_DEVICE,
          EnaSupport: true,
          // Amazon Linux 2023's: its instances want tokens unless a launch says otherwise.
          ImdsSupport: 'v2.0',
          PlatformDetails: 'Linux/UNIX',
          BlockDeviceMappings: [
            {
              DeviceName: ROOT_DEVICE,
              Ebs: {
                VolumeSize: ROOT_BYTES / 2 ** 30,
                VolumeType: 'gp3',
                DeleteOnTermination: true,
                Encrypted: false,
              },
            },
          ],
          Tags: [],
        })),
      }
    },
    describeInstanceTypes(_context, input) {
      const wrong = input.InstanceTypes?.filter((name) => !instanceTypes.has(name)) ?? []
      if (wrong.length > 0)
        throw new DeclaredError(
          'InvalidInstanceType',
          `The following supplied instance types do not exist: [${wrong.join(', ')}]`,
        )
      const asked = [...instanceTypes.values()].filter(
        ({ name }) => !input.InstanceTypes?.length || input.InstanceTypes.some((one) => one === name),
      )
      const found = filtered(asked, input.Filters, TYPE_FILTERS, () => [])
      const limits = { token: input.NextToken, max: input.MaxResults }
      const page = pageOf(found, (type) => type.name, limits, paging(100))
      return { NextToken: page.next, InstanceTypes: page.items.map(describeType) }
    },
    describeInstanceTypeOfferings(context, input) {
      const type = input.LocationType ?? 'region'
      if (type !== 'region' && type !== 'availability-zone') throw unsupported(`LocationType=${type}`)
      const locations =
        type === 'region' ? [context.region] : networkOf(context).subnets.map((subnet) => subnet.zone)
      // Of all the types that there are, this machine can be those of its own architecture.
      const offered = [...instanceTypes.values()].filter(
        (one) => one.architecture === machineArchitecture(store),
      )
      const offers = locations.flatMap((location) => offered.map(({ name }) => ({ name, location })))
      const found = filtered(offers, input.Filters, OFFER_FILTERS, () => [])
      const limits = { token: input.NextToken, max: input.MaxResults }
      const page = pageOf(found, (offer) => `${offer.name} ${offer.location}`, limits, paging())
      return {
        NextToken: page.next,
        InstanceTypeOfferings: page.items.map(({ name, location }) => ({
          InstanceType: name as never,
          LocationType: type,
          Location: location,
        })),
      }
    },
  }
}

export const noImage = (ids: string[]) =>
  ids.some((id) => !/^ami-[0-9a-f]+$/.test(id))
    ? new DeclaredError('InvalidAMIID.Malformed', `Invalid id: "${ids[0]}" (expecting "ami-...")`)
    : new DeclaredError('InvalidAMIID.NotFound', `The image id '[${ids.join(', ')}]' does not exist`)

const describeType = (type: InstanceType) => ({
  InstanceType: type.name as never,
  CurrentGeneration: !type.name.startsWith('t2.'),
  FreeTierEligible: type.name === 't2.micro' || type.name === 't3.micro',
  BareMetal: false,
  BurstablePerformanceSupported: type.burstable,
  SupportedUsageClasses: ['on-demand' as const],
  SupportedRootDeviceTypes: ['ebs' as const],
  SupportedVirtualizationTypes: ['hvm' as const],
  InstanceStorageSupported: false,
  HibernationSupported: false,
  ProcessorInfo: { SupportedArchitectures: [type.architecture] },
  VCpuInfo: {
    DefaultVCpus: type.vcpus,
    DefaultCores: Math.max(1, type.vcpus / 2),
    DefaultThreadsPerCore: type.vcpus > 1 ? 2 : 1,
  },
  MemoryInfo: { SizeInMiB: type.memoryMiB },
  NetworkInfo: { MaximumNetworkInterfaces: 1, Ipv4AddressesPerInterface: 1, Ipv6Supported: false },
})

const IMAGE_DESCRIPTION = "The host's own programs and libraries, read-only"

const IMAGE_FILTERS: FilterTable<{ id: string; architecture: string; owner: string }> = {
  'image-id': (image) => [image.id],
  name: () => [IMAGE_NAME],
  architecture: (image) => [image.architecture],
  'owner-id': (image) => [image.owner],
  'owner-alias': () => ['self'],
  state: () => ['available'],
  'image-type': () => ['machine'],
  description: () => [IMAGE_DESCRIPTION],
  'imds-support': () => ['v2.0'],
  'ena-support': () => [true],
  hypervisor: () => ['xen'],
  'platform-details': () => ['Linux/UNIX'],
  'root-device-name': () => [ROOT_DEVICE],
  'is-public': () => [true],
  'root-device-type': () => ['ebs'],
  'virtualization-type': () => ['hvm'],
}

const TYPE_FILTERS: FilterTable<InstanceType> = {
  'instance-type': (type) => [type.name],
  'current-generation': (type) => [!type.name.startsWith('t2.')],
  'burstable-performance-supported': (type) => [type.burstable],
  'processor-info.supported-architecture': (type) => [type.architecture],
  'vcpu-info.default-vcpus': (type) => [type.vcpus],
  'memory-info.size-in-mib': (type) => [type.memoryMiB],
  'bare-metal': () => [false],
  'free-tier-eligible': (type) => [type.name === 't2.micro' || type.name === 't3.micro'],
  'hibernation-supported': () => [false],
  'instance-storage-supported': () => [false],
  'supported-root-device-type': () => ['ebs'],
  'supported-usage-class': () => ['on-demand'],
  'supported-virtualization-type': () => ['hvm'],
  'vcpu-info.default-cores': (type) => [Math.max(1, type.vcpus / 2)],
}

const OFFER_FILTERS: FilterTable<{ name: string; location: string }> = {
  'instance-type': (offer) => [offer.name],
  location: (offer) => [offer.location],
}
