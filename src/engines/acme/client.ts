// The ACME client: acme-client (decision 024), loaded with the first order, since few homes make any.
import { Agent } from 'node:https'
import { Resolver } from 'node:dns/promises'
import type { Client, Order as ClientOrder } from 'acme-client'
import { type Clock, withTimeout } from '../../kernel/clock.ts'
import { EngineError, reasonOf } from '../../kernel/errors.ts'
import {
  type Account,
  type AcmeEngine,
  type Challenge,
  type ChallengeType,
  type OrderState,
  Refusal,
} from './engine.ts'

/** Of one answer, and of a handful of them. */
const ANSWER_MS = 20_000
const CALL_MS = 60_000
const TOKEN = /^[A-Za-z0-9_-]{1,200}$/
const TYPES: readonly string[] = ['http-01', 'dns-01'] satisfies ChallengeType[]
/** Of a certificate's subject (X.520). */
const COMMON_NAME_MAX = 64
const ANSWER_BYTES_MAX = 256 * 1024

type Options = {
  clock: Clock
  /** Name server that is asked what others are told, `192.0.2.53` or `192.0.2.53:5353`; null = the machine's own. */
  resolver(): string | null
}

export function makeAcmeClient({ clock, resolver }: Options): AcmeEngine {
  /** Accounts are known by their key: who asks for one that is there is told it. */
  const clients = new Map<string, Client>()

  let loaded: Promise<typeof import('acme-client')> | undefined
  const load = () => (loaded ??= import('acme-client').then(prepared))

  async function clientOf({ directory, trust, key, email }: Account): Promise<Client> {
    const acme = await load()
    // The library has one agent for all of its calls.
    Object.assign(acme.axios.defaults, {
      httpsAgent: new Agent(trust === null ? {} : { ca: trust }),
      timeout: ANSWER_MS,
      maxContentLength: ANSWER_BYTES_MAX,
      // Who asks in vain asks again by itself, later.
      acmeSettings: { retryMaxAttempts: 0 },
    })
    const id = JSON.stringify([directory, key, email])
    const known = clients.get(id)
    if (known) return known
    const client = new acme.Client({ directoryUrl: directory, accountKey: key, backoffAttempts: 1 })
    await client.createAccount({
      termsOfServiceAgreed: true,
      ...(email === null ? {} : { contact: [`mailto:${email}`] }),
    })
    clients.clear()
    clients.set(id, client)
    return client
  }

  async function call<T>(what: string, account: Account, ask: (client: Client) => Promise<T>): Promise<T> {
    try {
      return await withTimeout(clock, CALL_MS, what, async () => ask(await clientOf(account)))
    } catch (error) {
      const said = `${hostOf(account)}: ${what}: ${reasonOf(error)}`
      throw new (isSilence(error) ? EngineError : Refusal)(said, { cause: error })
    }
  }

  return {
    order: (account, names) =>
      call('order', account, async (client) => {
        const order = await client.createOrder({
          identifiers: names.map((value) => ({ type: 'dns', value })),
        })
        const pending = (await client.getAuthorizations(order)).filter(({ status }) => status === 'pending')
        const challenges = pending.flatMap(({ identifier, wildcard = false, challenges: offered }) =>
          offered
            .filter(({ type, token }) => TYPES.includes(type) && TOKEN.test(token))
            .map(async (one): Promise<Challenge> => ({
              ...{
                name: identifier.value.toLowerCase(),
                isWildcard: wildcard,
                type: one.type as ChallengeType,
              },
              ...{ url: one.url, token: one.token, content: await client.getChallengeKeyAuthorization(one) },
            })),
        )
        return { url: order.url, challenges: await Promise.all(challenges) }
      }),
    answer: (account, { url, token, type }) =>
      call('answer', account, async (client) => {
        await client.completeChallenge({ url, token, type, status: 'pending' } as never)
      }),
    look: (account, url) =>
      call('look', account, async (client): Promise<OrderState> => {
        const order = await client.getOrder({ url } as ClientOrder)
        return {
          status: order.status,
          problem: order.status === 'invalid' ? await problemOf(client, order) : '',
        }
      }),
    finalize: (account, url, names, key) =>
      call('finalize', account, async (client) => {
        const { crypto } = await load()
        const order = await client.getOrder({ url } as ClientOrder)
        const [first = ''] = names
        const commonName = first.length <= COMMON_NAME_MAX ? { commonName: first } : {}
        const [, request] = await crypto.createCsr({ ...commonName, altNames: names }, key)
        await client.finalizeOrder(order, request)
      }),
    certificate: (account, url) =>
      call('certificate', account, async (client) =>
        client.getCertificate(await client.getOrder({ url } as ClientOrder)),
      ),
    async identities(directory, trust) {
      const acme = await load()
      const httpsAgent = new Agent(trust === null ? {} : { ca: trust })
      const asked = { httpsAgent, timeout: ANSWER_MS, maxContentLength: ANSWER_BYTES_MAX }
      const { data } = await acme.axios
        .get<{ meta?: { caaIdentities?: unknown } }>(directory, asked)
        .catch((error: unknown) => {
          throw new EngineError(`${hostOf({ directory })}: its directory: ${reasonOf(error)}`)
        })
      const { caaIdentities = [] } = data.meta ?? {}
      return Array.isArray(caaIdentities) ? caaIdentities.filter((one) => typeof one === 'string') : []
    },
    async resolve(name, type) {
      const asked = new Resolver({ timeout: 3_000, tries: 2 })
      const own = resolver()
      if (own !== null) asked.setServers([own])
      try {
        if (type === 'CAA')
          return (await asked.resolveCaa(name)).flatMap(({ issue, issuewild }) => [
            ...(issue === undefined ? [] : [`issue ${issue}`]),
            ...(issuewild === undefined ? [] : [`issuewild ${issuewild}`]),
          ])
        return await (type === 'A'
          ? asked.resolve4(name)
          : type === 'AAAA'
            ? asked.resolve6(name)
            : asked.resolveCname(name))
      } catch (error) {
        if (['ENODATA', 'ENOTFOUND'].includes((error as NodeJS.ErrnoException).code ?? '')) return []
        throw new EngineError(`${name} cannot be resolved: ${reasonOf(error)}`)
      }
    },
  }
}

const hostOf = ({ directory }: { directory: string }) => new URL(directory).host

/** An authority that is too busy or out of order has refused nothing: it is asked again like one that does not answer. */
function prepared(acme: typeof import('acme-client')): typeof import('acme-client') {
  acme.axios.interceptors.response.use((response) => {
    const { status, data } = response
    if (status === 429 || status >= 500)
      throw new EngineError(
        `HTTP ${status} ${(data as { detail?: string } | undefined)?.detail ?? ''}`.trim(),
      )
    return response
  })
  return acme
}

/** Nobody answered in words of HTTP, or all that was refused is a nonce, each time that the library tried another: of what was asked
 *  that says nothing (RFC 8555 §6.5), and the library tells no more of it than the authority's words. A TypeError: acme-client 5.4 looks at the answer of who gave none (src/axios.js). */
const isSilence = (error: unknown): boolean =>
  error instanceof EngineError ||
  error instanceof TypeError ||
  /: not within \d+ ms$|anti-replay nonce|badNonce/i.test(reasonOf(error)) ||
  (error as { isAxiosError?: boolean }).isAxiosError === true

/** What an authority says of the names that were not shown to be ours. */
async function problemOf(client: Client, order: ClientOrder): Promise<string> {
  const authorizations = await client.getAuthorizations(order)
  const told = authorizations.flatMap(({ identifier, challenges }) =>
    challenges.flatMap((one) => {
      const { error: { detail } = {} } = one as { error?: { detail?: string } }
      return detail === undefined ? [] : [`${identifier.value}: ${detail}`]
    }),
  )
  const own = (order as { error?: { detail?: string } }).error?.detail
  return [...told, ...(own === undefined ? [] : [own])].join('; ').slice(0, 500) || 'the order is invalid'
}
