// What is on a disk, as a value: the disk is cached under the hash of it, so a change of the recipe builds another.
import { createHash } from 'node:crypto'

export type Release = { number: string; suite: string }
export type Mirrors = { debian: string; security: string }
export type Recipe = { release: Release; packages: string[]; argv: string[]; sizeGiB: number }

export const RELEASES: Release[] = [
  { number: '12', suite: 'bookworm' },
  { number: '13', suite: 'trixie' },
]

/** The user who owns the clone and may use sudo. */
export const USER = 'ada'
const SIZE_GIB = 8

/** A stock server, what README says is needed (Node, npm, Python), and what opens the door to us (ssh, sudo). */
const PACKAGES = [
  'linux-image-cloud-amd64',
  ...['systemd-sysv', 'systemd-resolved', 'libnss-resolve', 'libpam-systemd', 'dbus', 'systemd-timesyncd'],
  ...['openssh-server', 'sudo', 'ufw', 'ca-certificates', 'curl', 'git', 'zip'],
  ...['nodejs', 'npm', 'python3', 'python3-venv'],
]

// Each runs in the new system, as the words after `chroot "$1"`.
const inside = (command: string) => `--customize-hook=chroot "$1" sh -ec '${command}'`
const write = (path: string, text: string) => inside(`printf "%b" "${text}" >${path}`)

/** Pure: the recipe of a release's disk, fetched from `mirrors`. `key` is the public half of the key that opens it. */
export function recipeOf(release: Release, mirrors: Mirrors, key: string): Recipe {
  const { suite } = release
  const sources = [
    `deb ${mirrors.debian} ${suite} main`,
    `deb ${mirrors.debian} ${suite}-updates main`,
    `deb ${mirrors.security} ${suite}-security main`,
  ]
  return {
    release,
    packages: PACKAGES,
    sizeGiB: SIZE_GIB,
    argv: [
      ...['--mode=root', '--variant=important', '--format=directory'],
      `--include=${PACKAGES.join(',')}`,
      '--aptopt=APT::Install-Recommends "false"',
      // So that a guest installs again what it has installed before without the network being asked much.
      inside(`useradd --create-home --shell /bin/bash --groups sudo ${USER}`),
      write(`/etc/sudoers.d/${USER}`, `${USER} ALL=(ALL) NOPASSWD: ALL\\n`),
      inside(`install -d -m 700 -o ${USER} -g ${USER} /home/${USER}/.ssh`),
      write(`/home/${USER}/.ssh/authorized_keys`, `${key}\\n`),
      write('/etc/hostname', 'machine\\n'),
      write('/etc/hosts', '127.0.0.1 localhost\\n127.0.1.1 machine\\n::1 localhost\\n'),
      write('/etc/fstab', '/dev/vda / ext4 defaults 0 1\\n'),
      write(
        '/etc/systemd/network/wired.network',
        '[Match]\\nName=e*\\n[Network]\\nDHCP=yes\\nIPv6AcceptRA=yes\\n',
      ),
      inside('systemctl enable systemd-networkd systemd-resolved ssh'),
      inside('systemctl mask systemd-networkd-wait-online'),
      inside('ln -sf ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf'),
      suite,
      '{folder}',
      ...sources,
    ],
  }
}

/** Pure: 16 hexadecimal digits that change with anything of the recipe. */
export const keyOf = (recipe: Recipe): string =>
  createHash('sha256').update(JSON.stringify(recipe)).digest('hex').slice(0, 16)
