// PowerDNS's configuration: pure text (pdns_server(1), settings.html of 4.7). Little memory, nobody outside is asked, and what is
// not needed is off.
export type PowerdnsSettings = {
  /** Where its database and sockets lie. */
  dir: string
  /** Addresses and port at which it answers. */
  listens: { addresses: string[]; port: number }
  api: { port: number; key: string }
  /** It drops root for these; null = it stays what it is. */
  user: { name: string; group: string } | null
}

export const DATABASE = 'zones.sqlite3'

export const renderPowerdns = ({ dir, listens, api, user }: PowerdnsSettings): string =>
  Object.entries({
    launch: 'gsqlite3',
    'gsqlite3-database': `${dir}/${DATABASE}`,
    'gsqlite3-pragma-journal-mode': 'WAL',
    'gsqlite3-pragma-synchronous': '1',
    'gsqlite3-pragma-foreign-keys': 'yes',
    'socket-dir': dir,
    'local-address': listens.addresses.join(', '),
    'local-port': String(listens.port),
    'non-local-bind': 'no',
    api: 'yes',
    webserver: 'yes',
    'webserver-address': '127.0.0.1',
    'webserver-port': String(api.port),
    'webserver-allow-from': '127.0.0.1/32',
    'webserver-loglevel': 'none',
    'api-key': api.key,
    // Answers follow a change at once: the API empties caches of what it changes.
    'cache-ttl': '60',
    'negquery-cache-ttl': '60',
    'query-cache-ttl': '20',
    'zone-cache-refresh-interval': '0',
    'enable-lua-records': 'yes',
    'expand-alias': 'no',
    'any-to-tcp': 'yes',
    'disable-axfr': 'yes',
    'allow-axfr-ips': '',
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
    ...(user ? { setuid: user.name, setgid: user.group } : {}),
  })
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')
