/** The hardware address that belongs to an IPv4 address: locally administered, and the same whoever asks. */
export function hardwareAddressOf(address: string): string {
  const bytes = address.split('.').map((part) => Number(part).toString(16).padStart(2, '0'))
  return ['0a', '58', ...bytes].join(':')
}
