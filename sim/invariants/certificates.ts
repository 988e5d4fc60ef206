// Certificates that were asked for: what is answered for them, and that they come to an end.
import { challengeName } from '../../src/engines/acme/engine.ts'
import { challengesOf, namesOfOrder, type OrderRow } from '../../src/services/acm/store.ts'
import { readServerCertificate } from '../../src/services/server-certificate.ts'
import type { World } from '../world.ts'
import { same } from './rows.ts'

/** In peace a certificate is there long before; an authority that could not be asked is asked again after a minute. */
const ISSUED_MS = 10 * 60_000

/** Somebody set the clock. */
const OF_CLOCKS: string[] = ['not valid yet', 'expired']

export function certificates(world: World): string[] {
  const { store, clock, dns } = world
  const rows = store.all<OrderRow & { certificate: string; chain: string; key: string }>(
    `select o.*, c.certificate, c.chain, c.private_key as key from acm_order o join acm_certificate c on c.arn = o.arn`,
  )
  const asked = new Map(
    rows.flatMap(({ arn }) =>
      challengesOf(store, arn).map(({ name, content }) => [content, challengeName(name)] as const),
    ),
  )
  const names = new Set(
    ['example.com', ...rows.flatMap(namesOfOrder)].map((one) => challengeName(one.replace(/^\*\./, ''))),
  )
  const texts = [...names].flatMap((name) =>
    dns
      .query(name, 'TXT')
      .answers.flatMap((one) => (/ TXT "(token-[^"]*)"$/.exec(one)?.[1] ?? []) as string[]),
  )
  return [
    ...same('challenges that the name server answers', texts, 'those under way', [...asked.keys()]),
    ...rows.flatMap((row) => {
      const { problem } =
        row.certificate === '' ? {} : readServerCertificate({ ...row, privateKey: row.key }, clock.now())
      return problem && !OF_CLOCKS.includes(problem)
        ? [`the certificate ${row.arn} cannot be used: ${problem}`]
        : []
    }),
    ...rows
      .filter(
        ({ reason }) => reason.includes('cannot be used') && !OF_CLOCKS.some((one) => reason.endsWith(one)),
      )
      .map(({ arn, reason }) => `${arn}: ${reason}`),
    ...rows
      .filter(({ reason }) => /does not answer/.test(reason) && !world.zonesLost)
      .map(({ arn, reason }) => `${arn} was asked for too soon: ${reason}`),
    ...rows
      .filter(
        ({ stage, failures, requestedAt, certificate }) =>
          certificate === '' &&
          stage !== 'timed out' &&
          failures === 0 &&
          clock.now() - requestedAt > ISSUED_MS,
      )
      .filter(({ beganAt }) => clock.now() - beganAt > ISSUED_MS)
      .map(({ arn, stage, reason }) => `${arn} comes to no end: ${stage} ${reason}`),
  ]
}
