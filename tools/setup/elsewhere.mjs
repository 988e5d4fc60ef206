// Where Polebean cannot run, said before anything is fetched or changed: what is missing, and commands that lead to a place
// where it can. Pure but for `readFacts`.
import { existsSync, readFileSync } from 'node:fs'
import { release } from 'node:os'
import { elsewhereCalled } from './families.mjs'

/** nftables masquerades in tables of the family inet from this kernel on. */
const KERNEL_MINIMUM = '5.2'

/** What is looked at. Texts are '' where there is no such file. */
export function readFacts() {
  const read = (path) => {
    try {
      return readFileSync(path, 'utf8')
    } catch {
      return ''
    }
  }
  return {
    platform: process.platform,
    arch: process.arch,
    kernel: release(),
    version: read('/proc/version'),
    uidMap: read('/proc/self/uid_map'),
    container: read('/run/systemd/container').trim() || (existsSync('/.dockerenv') ? 'docker' : ''),
    osRelease: read('/etc/os-release'),
    distribution: process.env.WSL_DISTRO_NAME ?? '',
  }
}

const LIMA = [
  'brew install lima',
  'limactl start --name=polebean contrib/lima.yaml',
  'limactl shell polebean',
  '…and there, in a clone: npm run up',
]
const WSL = ['wsl --install -d Debian', 'wsl -d Debian', '…and there, in a clone: npm run up']
const DOCKER = [
  'docker build -t polebean -f contrib/Dockerfile .',
  'docker run -d --init --name polebean --privileged --network=host --cgroupns=host polebean',
  'docker exec polebean polebean up',
]
const LXC = [
  'lxc launch images:debian/12 polebean --vm',
  'lxc exec polebean -- bash',
  '…and there, in a clone: npm run up',
]

/** Undefined where it may run; else a sentence, and the commands that lead elsewhere, each on a line of its own. */
export function whyNotHere({ platform, arch, kernel, version, uidMap, container, osRelease, distribution }) {
  if (platform === 'darwin')
    return tell('Polebean runs on Linux; this is macOS. In a virtual machine with Lima:', LIMA)
  if (platform === 'win32')
    return tell('Polebean runs on Linux; this is Windows. In WSL 2, from PowerShell:', WSL)
  if (platform !== 'linux')
    return `Polebean runs on Linux; this is ${platform}. Use a virtual machine with Debian 12.`
  if (!['x64', 'arm64'].includes(arch)) return `Polebean runs on x86_64 and arm64; this is ${arch}.`
  // WSL 2 says "microsoft-standard-WSL2", and has a kernel of its own.
  if (/Microsoft/.test(version))
    return tell('This is WSL 1, which has no Linux kernel. From PowerShell:', [
      `wsl --set-version ${distribution || 'Debian'} 2`,
      `wsl -d ${distribution || 'Debian'}`,
    ])
  if (isOlder(kernel, KERNEL_MINIMUM))
    return `This kernel is ${kernel}; ${KERNEL_MINIMUM} or newer is needed (NAT in nftables' inet tables). Debian 11 and newer have one.`
  const name = /^ID="?([\w.-]+)"?$/m.exec(osRelease)?.[1] ?? ''
  if (name === 'alpine')
    return tell(
      'This is Alpine, whose C library (musl) cannot run the Node that Polebean brings. With Docker, in a clone:',
      DOCKER,
    )
  if (uidMap.trim() !== '' && !/^\s*0\s+0\s+4294967295\s*$/.test(uidMap))
    return /^lxc/.test(container)
      ? tell(
          'This is an unprivileged LXC container: its root is not the machine’s, so nothing can be mounted. On its host, as a virtual machine:',
          LXC,
        )
      : tell(
          `This is a container without the machine’s own root${container ? ` (${container}, rootless)` : ''}. On its host, in a clone:`,
          DOCKER,
        )
  return undefined
}

const tell = (sentence, commands) => `${sentence}\n${commands.map((command) => `  ${command}`).join('\n')}`

/** Names that people know, by the ID in os-release. */
const UNTRIED = {
  ...{
    fedora: 'Fedora',
    rhel: 'Red Hat Enterprise Linux',
    centos: 'CentOS',
    rocky: 'Rocky Linux',
    almalinux: 'AlmaLinux',
  },
  ...{
    arch: 'Arch Linux',
    manjaro: 'Manjaro',
    'opensuse-leap': 'openSUSE Leap',
    'opensuse-tumbleweed': 'openSUSE Tumbleweed',
  },
  ...{ amzn: 'Amazon Linux', gentoo: 'Gentoo', void: 'Void Linux', nixos: 'NixOS', slackware: 'Slackware' },
}

/**
 * The sentence where there is no apt-get: who it is, each missing program with the version it must have, and what the
 * packages are called there where that is known. `missing`: programs as in programs.json; `packages`: all that is missing,
 * by Debian's names.
 */
export function withoutApt(osRelease, missing, packages) {
  const id = /^ID="?([\w.-]+)"?$/m.exec(osRelease)?.[1] ?? ''
  const who = UNTRIED[id] ?? (/^PRETTY_NAME="?([^"\n]+)"?$/m.exec(osRelease)?.[1] || 'This machine')
  const lines = missing.map(
    ({ program, minimum, package: from }) =>
      `${program}${minimum ? ` ${minimum} or newer` : ''} (Debian: ${from})`,
  )
  const others = packages.filter((name) => !missing.some((one) => one.package === name))
  const called = elsewhereCalled(osRelease, packages)
  return [
    `${who} has no apt-get, and setup installs with nothing else. Nothing was changed. Install by hand, in /usr:`,
    ...[...lines, ...others.map((name) => `what Debian has in ${name}`)].map((line) => `  ${line}`),
    ...(called?.command ? ['The packages are called there:', `  ${called.command}`] : []),
    ...(called && called.without.length > 0
      ? [`and without a package, to be built from source: ${called.without.join(', ')}`]
      : []),
    'then try again. Or, with Docker, in a clone:',
    ...DOCKER.map((line) => `  ${line}`),
  ].join('\n')
}

/** By the numbers at their beginning: 5.10.0-28 is not older than 5.2. */
export function isOlder(found, minimum) {
  const [ours, theirs] = [found, minimum].map((text) =>
    (/\d+(?:\.\d+)*/.exec(text)?.[0] ?? '').split('.').map(Number),
  )
  for (const [index, part] of theirs.entries())
    if ((ours[index] ?? 0) !== part) return (ours[index] ?? 0) < part
  return false
}
