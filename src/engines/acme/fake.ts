// An authority in memory. It asks who `answers` what a challenge is about, as a real one asks by HTTP and DNS.
import type { Clock } from '../../kernel/clock.ts'
import { EngineError } from '../../kernel/errors.ts'
import { type Account, type AcmeEngine, type Challenge, type OrderState, Refusal } from './engine.ts'
import { selfSigned } from './test-der.ts'

/** `never`: the deed is done, its answer never comes. */
export type AcmeFault = 'error before' | 'error after' | 'never'

type FakeOrder = OrderState & {
  account: string
  names: string[]
  challenges: (Challenge & { status: 'pending' | 'valid' | 'invalid' })[]
  certificate: string
  /** When `processing` ends. */
  doneAt: number
}

export type FakeAcmeWorld = {
  engine(own?: Clock): AcmeEngine
  /** Whether this challenge is answered rightly now, where it is asked. */
  answers: (challenge: Challenge) => boolean
  /** What `resolve` says. */
  told: (name: string, type: string) => string[]
  /** How long what it issues is good. */
  days: number
  /** How many certificates it issued, by directory. */
  issued(directory: string): number
  fault: (call: keyof AcmeEngine) => AcmeFault | undefined
  latencyMs: () => number
}

const PROCESSING_MS = 1_000
const NAME = /^(\*\.)?([a-z0-9_]([a-z0-9_-]*[a-z0-9_])?\.)+[a-z]+$/

export function makeFakeAcmeWorld(clock: Clock): FakeAcmeWorld {
  const orders = new Map<string, FakeOrder>()
  const issued = new Map<string, number>()
  let made = 0
  const requireOrder = ({ key }: Account, url: string): FakeOrder => {
    const order = orders.get(url)
    if (order?.account !== key) throw new Refusal('no such order')
    if (order.status === 'processing' && clock.now() >= order.doneAt) order.status = 'valid'
    return order
  }
  const world: FakeAcmeWorld = {
    answers: () => false,
    told: () => [],
    days: 90,
    issued: (directory) => issued.get(directory) ?? 0,
    fault: () => undefined,
    latencyMs: () => 0,
    engine(own = clock) {
      const call = async <T>(what: keyof AcmeEngine, effect: () => T): Promise<T> => {
        const fault = world.fault(what)
        const latencyMs = world.latencyMs()
        if (latencyMs > 0) await own.sleep(latencyMs)
        if (fault === 'error before') throw new EngineError(`acme.${what}: ${fault}`)
        const answer = effect()
        if (fault === 'error after') throw new EngineError(`acme.${what}: ${fault}`)
        if (fault === 'never') await new Promise(() => undefined)
        return answer
      }
      return {
        order: ({ key, directory }, names) =>
          call('order', () => {
            requireThere(directory)
            const wrong = names.find((name) => !NAME.test(name))
            if (wrong !== undefined) throw new Refusal(`${wrong} is no name`)
            // As Boulder: who asks for the same names again is given what is there.
            const [there] = [...orders].filter(
              ([of, one]) =>
                of.startsWith(`${directory}/`) &&
                one.account === key &&
                one.names.join() === names.join() &&
                ['pending', 'ready'].includes(one.status),
            )
            if (there) {
              const open = there[1].challenges.filter(({ status }) => status === 'pending')
              return { url: there[0], challenges: open.map(withoutStatus) }
            }
            const covered = names.find(
              (name) => !name.startsWith('*.') && names.includes(`*.${name.slice(name.indexOf('.') + 1)}`),
            )
            if (covered !== undefined) throw new Refusal(`${covered} is covered by a wildcard`)
            const url = `${directory}/order/${++made}`
            const challenges = names.flatMap((name, index) =>
              (name.startsWith('*.') ? (['dns-01'] as const) : (['dns-01', 'http-01'] as const)).map(
                (type) => {
                  const token = `token-${made}-${index}`
                  return {
                    ...{ name: name.replace(/^\*\./, ''), isWildcard: name.startsWith('*.'), type, token },
                    ...{ url: `${url}/${index}/${type}`, content: `${token}.thumb-${type.slice(0, -3)}` },
                  }
                },
              ),
            )
            orders.set(url, {
              ...{ account: key, names, status: 'pending', problem: '', certificate: '', doneAt: 0 },
              challenges: challenges.map((one) => ({ ...one, status: 'pending' as const })),
            })
            return { url, challenges }
          }),
        answer: (account, { url, name }) =>
          call('answer', () => {
            const order = [...orders.values()].find(({ challenges }) =>
              challenges.some((one) => one.url === url),
            )
            const asked = order?.challenges.find((one) => one.url === url)
            if (!order || !asked || order.account !== account.key) throw new Refusal('no such challenge')
            if (asked.status !== 'pending') return
            asked.status = world.answers(asked) ? 'valid' : 'invalid'
            if (asked.status === 'invalid') {
              order.status = 'invalid'
              order.problem = `${name}: it does not answer ${asked.type}`
            }
            const open = order.names.filter(
              (_name, index) =>
                !order.challenges.some((one) => one.token.endsWith(`-${index}`) && one.status === 'valid'),
            )
            if (open.length === 0 && order.status === 'pending') order.status = 'ready'
          }),
        look: (account, url) =>
          call('look', () => {
            const { status, problem } = requireOrder(account, url)
            return { status, problem }
          }),
        finalize: (account, url, names, key) =>
          call('finalize', () => {
            const order = requireOrder(account, url)
            if (order.status !== 'ready') throw new Refusal(`the order is ${order.status}`)
            if (names.join() !== order.names.join()) throw new Refusal('other names')
            order.status = 'processing'
            order.doneAt = clock.now() + PROCESSING_MS
            order.certificate = selfSigned(names, key, clock.now(), world.days)
            issued.set(account.directory, world.issued(account.directory) + 1)
          }),
        certificate: (account, url) =>
          call('certificate', () => {
            const order = requireOrder(account, url)
            if (order.status !== 'valid') throw new Refusal(`the order is ${order.status}`)
            return order.certificate
          }),
        identities: (directory) =>
          call('identities', () => {
            requireThere(directory)
            return [new URL(directory).host]
          }),
        resolve: (name, type) => call('resolve', () => world.told(name, type)),
      }
    },
  }
  return world
}

function requireThere(directory: string): void {
  if (directory.includes('//127.0.0.1:1/')) throw new EngineError('nobody is there')
}

const withoutStatus = ({ name, isWildcard, type, url, token, content }: Challenge): Challenge => ({
  ...{ name, isWildcard, type, url, token, content },
})
