export type Facts = {
  platform: string
  arch: string
  /** Of `uname -r`. */
  kernel: string
  /** Texts of /proc/version, /proc/self/uid_map, /run/systemd/container, /etc/os-release. */
  version: string
  uidMap: string
  container: string
  osRelease: string
  /** WSL's name of this distribution. */
  distribution: string
}
export function readFacts(): Facts
export function whyNotHere(facts: Facts): string | undefined
export function withoutApt(
  osRelease: string,
  missing: { program: string; minimum?: string; package: string }[],
  packages: string[],
): string
export function isOlder(found: string, minimum: string): boolean
