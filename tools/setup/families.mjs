// What Debian's packages are called elsewhere. Names only: setup installs with apt-get alone.

/** Debian package → [of Fedora and its kin, of Arch]; null where there is none. */
const NAMES = {
  haproxy: ['haproxy', 'haproxy'],
  runc: ['runc', 'runc'],
  'nginx-light': ['nginx', 'nginx'],
  // Arch's user repository has one.
  runit: [null, null],
  'dnsmasq-base': ['dnsmasq', 'dnsmasq'],
  'pdns-server': ['pdns', 'powerdns'],
  'pdns-backend-sqlite3': ['pdns-backend-sqlite', 'powerdns'],
  nftables: ['nftables', 'nftables'],
  iproute2: ['iproute', 'iproute2'],
  e2fsprogs: ['e2fsprogs', 'e2fsprogs'],
  'util-linux': ['util-linux', 'util-linux'],
  mount: ['util-linux', 'util-linux'],
  python3: ['python3', 'python'],
  'python3-venv': ['python3', 'python'],
  libatomic1: ['libatomic', 'gcc-libs'],
}

/** Where the sources are of what a family has no package of. */
const SOURCES = { runit: 'https://smarden.org/runit/' }

const FAMILIES = [
  { ids: ['fedora', 'rhel', 'centos', 'rocky', 'almalinux', 'amzn'], command: 'dnf install', column: 0 },
  { ids: ['arch', 'manjaro'], command: 'pacman -S --needed', column: 1 },
]

/**
 * How the family of this os-release installs Debian's `packages`: the command, and what it has no package of, each with
 * where its sources are. Undefined for a family whose names are not known. Packages that are in no table count as without.
 */
export function elsewhereCalled(osRelease, packages) {
  const said = /^ID="?([\w.-]+)"?$/m.exec(osRelease)?.[1] ?? ''
  const like = /^ID_LIKE="?([^"\n]*)"?$/m.exec(osRelease)?.[1].split(' ') ?? []
  const family = FAMILIES.find(({ ids }) => [said, ...like].some((id) => ids.includes(id)))
  if (!family) return undefined
  const names = packages.map((name) => NAMES[name]?.[family.column] ?? null)
  const found = [...new Set(names.filter((name) => name !== null))]
  return {
    command: found.length > 0 ? `${family.command} ${found.join(' ')}` : '',
    without: [...new Set(packages.filter((_unused, index) => names[index] === null))].map((name) =>
      SOURCES[name] ? `${name} (${SOURCES[name]})` : name,
    ),
  }
}
