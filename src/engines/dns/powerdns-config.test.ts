import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type PowerdnsSettings, renderPowerdns } from './powerdns-config.ts'

const settings: PowerdnsSettings = {
  ...{ dir: '/run/dns', user: { name: 'pdns', group: 'pdns' }, api: { port: 5381, key: 'k' } },
  ...{ listens: [{ address: '127.0.0.1', port: 5380 }], inside: [], secondaries: [] },
}
const about = (text: string) =>
  text
    .split('\n')
    .filter((line) => /axfr|notify|primary/.test(line))
    .toSorted()

describe("PowerDNS's configuration", () => {
  it('gives zones to nobody', () => {
    assert.deepEqual(about(renderPowerdns(settings)), [
      ...['allow-axfr-ips=', 'allow-notify-from=', 'allow-unsigned-notify=no', 'disable-axfr=yes'],
    ])
  })

  it('gives zones to secondaries and to nobody else, and tells them and nobody else', () => {
    const secondaries = [
      { address: '192.0.2.53', port: 53 },
      { address: '2001:db8::53', port: 53 },
    ]
    assert.deepEqual(about(renderPowerdns({ ...settings, secondaries })), [
      'allow-axfr-ips=192.0.2.53, 2001:db8::53',
      'allow-notify-from=',
      'allow-unsigned-notify=no',
      'also-notify=192.0.2.53:53, [2001:db8::53]:53',
      'disable-axfr=no',
      'only-notify=',
      'primary=yes',
    ])
  })
})
