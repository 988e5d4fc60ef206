// PowerDNS's configuration: pure text (pdns_server(1), settings.html of 4.7). Little memory, nobody outside is asked, and what is
// not needed is off.
export type PowerdnsSettings = {
  /** Root's alone, with its configuration; it locks itself in there, and has `data` in it for its database. */
  dir: string
  /** Where it answers, by UDP and TCP. */
  listens: { address: string; port: number }[]
  api: { port: number; key: string }
  /** Ranges of addresses from which the resolver of instances asks. */
  inside: string[]
  /** Who may fetch the zones, and is told of each change at that port (RFC 1996). */
  secondaries: { address: string; port: number }[]
  /** It drops root for these. */
  user: { name: string; group: string }
}

/** In `dir`. */
export const DATABASE = 'data/zones.sqlite3'

export const renderPowerdns = ({ dir, listens, api, user, secondaries }: PowerdnsSettings): string =>
  Object.entries({
    launch: 'gsqlite3',
    // It goes in as root: the folders above need not be open to its user, and nothing else is seen from there.
    chroot: dir,
    'gsqlite3-database': `/${DATABASE}`,
    'gsqlite3-pragma-journal-mode': 'WAL',
    'gsqlite3-pragma-synchronous': '1',
    'gsqlite3-pragma-foreign-keys': 'yes',
    'gsqlite3-dnssec': 'yes',
    'socket-dir': '/',
    'write-pid': 'no',
    'local-address': listens.map(bindText).join(', '),
    // The uplink to the instances comes later than it, after a reboot.
    'non-local-bind': 'yes',
    api: 'yes',
    webserver: 'yes',
    'webserver-address': '127.0.0.1',
    'webserver-port': String(api.port),
    'webserver-allow-from': '127.0.0.1/32',
    'webserver-loglevel': 'none',
    // MB; a zone of ten thousand sets is told whole when it is lost.
    'webserver-max-bodysize': '128',
    'api-key': api.key,
    // Answers follow a change at once: the API empties the cache of answers. It does so before that of queries, and a
    // question between the two would carry the former answer over into the first for a minute: so there is no second.
    'cache-ttl': '60',
    'negquery-cache-ttl': '0',
    'query-cache-ttl': '0',
    'zone-cache-refresh-interval': '0',
    'enable-lua-records': 'yes',
    'expand-alias': 'no',
    // It goes through all of a zone with each change, which few zones need (isOrdered).
    'default-api-rectify': 'no',
    'any-to-tcp': 'yes',
    ...givenTo(secondaries),
    'allow-notify-from': '',
    'allow-unsigned-notify': 'no',
    resolver: 'no',
    'receiver-threads': '1',
    'distributor-threads': '1',
    'signing-threads': '1',
    'retrieval-threads': '1',
    'max-tcp-connections': '100',
    'version-string': 'anonymous',
    'server-id': 'disabled',
    // It would ask for advisories in the Internet.
    'security-poll-suffix': '',
    daemon: 'no',
    guardian: 'no',
    'disable-syslog': 'yes',
    'log-timestamp': 'no',
    loglevel: '3',
    'max-cache-entries': '100000',
    'max-packet-cache-entries': '100000',
    setuid: user.name,
    setgid: user.group,
  })
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')

const givenTo = (secondaries: PowerdnsSettings['secondaries']): Record<string, string> =>
  secondaries.length === 0
    ? { 'disable-axfr': 'yes', 'allow-axfr-ips': '' }
    : {
        'disable-axfr': 'no',
        'allow-axfr-ips': secondaries.map(({ address }) => address).join(', '),
        primary: 'yes',
        'also-notify': secondaries.map(bindText).join(', '),
        // Otherwise it would look for the addresses of all name servers that a zone names.
        'only-notify': '',
      }

/** An address and a port, as its configuration has them. */
export const bindText = ({ address, port }: { address: string; port: number }): string =>
  `${address.includes(':') ? `[${address}]` : address}:${port}`
