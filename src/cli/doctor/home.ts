// How the home and its engines do: what they say, a packet on each way that packets take, a request on each door. Nothing
// is changed, also not as root beside a running server.
import { request } from 'node:http'
import { fileURLToPath } from 'node:url'
import { readConfigIfWhole } from '../../config/file.ts'
import type { Status } from '../../control/status.ts'
import type { ConfigurationStatus } from '../../home-config.ts'
import { readHome, type HomeSettings } from '../../home.ts'
import { askServer } from '../../engines/dns/ask.ts'
import { systemClock } from '../../kernel/clock.ts'
import { reasonOf } from '../../kernel/errors.ts'
import { run } from '../../kernel/process.ts'
import type { RealEngines } from '../../real-engines.ts'
import { openApi } from '../client.ts'
import { readBackups } from '../commands/backup.ts'
import { readFirewallReport } from '../commands/firewall.ts'
import { listEnvironments, type Environment } from '../environments.ts'
import type { Check } from '../requirements.ts'
import { startCommand } from '../release.ts'
import { answers } from '../start-server.ts'
import { checkTls } from './tls.ts'
import { checkService } from './service.ts'

const PROBE = fileURLToPath(new URL('probe.ts', import.meta.url))
const REQUEST_MS = 5_000
/** A failure or two may be of an object that is gone meanwhile. */
const FAILURES_SHOWN = 5

export async function checkHome(homeDir: string): Promise<Check[]> {
  const home = readHome(homeDir)
  if (!home) return [{ name: 'home', ok: true, saw: `none in ${homeDir} yet` }]
  const up = await answers(homeDir)
  const { id, cidr, ports } = home
  const open = readConfigIfWhole(homeDir).listeners.publicAddresses
  const checks: Check[] = [
    {
      name: 'home',
      ok: true,
      saw: `${homeDir} (id ${id}, ${cidr}, API port ${ports.api}, HTTP port ${ports.http}${open.length > 0 ? ` also on ${open.join(', ')}` : ''})`,
    },
    { name: 'server', ok: up, saw: up ? 'answers' : `does not answer (${startCommand()})` },
    await checkService(home),
    ...(up ? await checkRequests(homeDir) : []),
    ...(up ? [await checkNames(home)] : []),
    ...(up ? await checkTls(homeDir, id) : []),
  ]
  if (process.getuid!() !== 0)
    return [...checks, { name: 'engines', ok: true, saw: 'run doctor as root to look into them' }]
  const { makeEngines } = await import('../../real-engines.ts')
  return [...checks, ...(await checkEngines(home, makeEngines(home), up))]
}

async function check(name: string, look: () => Promise<string>): Promise<Check> {
  try {
    return { name, ok: true, saw: await look() }
  } catch (error) {
    return { name, ok: false, saw: reasonOf(error) }
  }
}

/** A question at each address at which the name server is to answer. */
const checkNames = ({ dir, domain, ports }: HomeSettings): Promise<Check> =>
  check('name server', async () => {
    const { dns } = readConfigIfWhole(dir)
    const places = [
      { address: '127.0.0.1', port: ports.dns },
      ...dns.addresses.map((address) => ({ address, port: dns.port })),
    ]
    for (const place of places) {
      const { rcode } = await askServer(systemClock, place, domain, 'SOA').catch((error: unknown) => ({
        rcode: reasonOf(error),
      }))
      if (rcode !== 'NOERROR') throw new Error(`${place.address} port ${place.port}: ${rcode}`)
    }
    return `answers for ${domain} at ${places.map(({ address, port }) => `${address} port ${port}`).join(', ')}`
  })

/** A signed request to the API, and one to an environment through either of its doors. */
async function checkRequests(homeDir: string): Promise<Check[]> {
  let environments: Environment[] = []
  const api = await check('API request', async () => {
    environments = await listEnvironments(openApi(homeDir))
    return `DescribeEnvironments: ${environments.length} ${environments.length === 1 ? 'environment' : 'environments'}`
  })
  const plane = await check('control plane', async () => {
    const status = JSON.parse(await openApi(homeDir).get('/polebean/status')) as Status & {
      configuration: ConfigurationStatus | null
    }
    const { failing, reconcilers, configuration } = status
    const wrong = [
      ...(configuration?.problem ? [`what is in force stays, since ${configuration.problem}`] : []),
      ...failing
        .filter(({ failures }) => failures >= FAILURES_SHOWN)
        .map(({ lane, failures, reason }) => `${lane} failed ${failures} times (${reason})`),
      ...reconcilers.flatMap(({ name, lastError }) => (lastError === null ? [] : `${name}: ${lastError}`)),
    ]
    if (wrong.length > 0) throw new Error(wrong.join('; '))
    return `${reconcilers.length} reconcilers, nothing fails`
  })
  const firewall = await check('firewall', async () => {
    const { differences, groups } = await readFirewallReport(openApi(homeDir))
    if (differences.length > 0)
      throw new Error(`${differences.slice(0, FAILURES_SHOWN).join(' ')} (polebean firewall)`)
    return `in force is what ${groups.length} security groups say`
  })
  const backup = await check('backup', async () => {
    const { schedule, last } = (await readBackups(openApi(homeDir))) ?? {}
    if (!schedule) return 'none by itself (polebean backup --every 24h FOLDER)'
    if (last?.failure) throw new Error(last.failure)
    return last?.file ?? 'the first one is being made'
  })
  const healthy = environments.find(({ health }) => health === 'Green') ?? environments[0]
  if (!healthy) return [api, plane, firewall, backup]
  const { name, url, localUrl, cname } = healthy
  const publicPort = new URL(url).port || '80'
  return [
    api,
    plane,
    firewall,
    backup,
    await check('public request', () => get(`http://127.0.0.1:${publicPort}/`, cname, name)),
    ...(localUrl ? [await check('local request', () => get(localUrl, '127.0.0.1', name))] : []),
  ]
}

function get(url: string, host: string, environment: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const call = request(url, { headers: { host }, timeout: REQUEST_MS, agent: false }, (response) => {
      response.resume()
      const saw = `${environment} at ${url}${host === '127.0.0.1' ? '' : ` (Host ${host})`}: HTTP ${response.statusCode}`
      if ((response.statusCode ?? 500) < 500) resolve(saw)
      else reject(new Error(`${saw}; see: polebean why ${environment}`))
    })
    call.on('timeout', () => call.destroy(new Error(`no answer within ${REQUEST_MS / 1000} s`)))
    call.on('error', (error) => reject(new Error(`${environment} at ${url}: ${error.message}`)))
    call.end()
  })
}

async function checkEngines(home: HomeSettings, engines: RealEngines, up: boolean): Promise<Check[]> {
  const { router, supervisor, resolver, compute, balancer } = engines
  const packet = async (namespace: string, words: string[], what: string) => {
    const argv = router.execIn(namespace, [
      process.execPath,
      '--disable-warning=ExperimentalWarning',
      PROBE,
      ...words,
    ])
    const { exit, stdout, stderr } = await run(argv, { timeoutMs: 10_000 })
    const said = `${what}: ${(stdout.toString() || stderr.toString()).trim().split('\n').at(-1)}`
    if (exit !== 0) throw new Error(said)
    return said
  }
  const instances = await compute.list().catch(() => [])
  const running = instances.filter(({ state }) => state === 'running')
  // Of an instance that no load balancer knows, its security groups may let nobody in.
  const targets = await balancer.observe().then(
    (seen) => new Set(seen.targets.map(({ targetId }) => targetId)),
    () => new Set<string>(),
  )
  const target = running.find(({ id, address }) => address !== null && targets.has(id))
  return Promise.all([
    check('network', async () => {
      const problems = [...(await router.problems()), resolver.problem() ?? []].flat()
      if (problems.length > 0) throw new Error(problems.join('; '))
      return `router ${router.names.router}, ${home.cidr}`
    }),
    check('daemons', async () => {
      const daemons = await supervisor.list()
      const dead = daemons.filter((one) => !one.running).map((one) => one.name)
      if (dead.length > 0) throw new Error(`not running: ${dead.join(', ')}`)
      return daemons.map((one) => one.name).join(', ') || 'none'
    }),
    check('instances', async () => `${running.length} of ${(await compute.list()).length} run`),
    // When nothing is to run, nothing needs to answer.
    ...(up
      ? [
          check('DNS packet', () =>
            packet(
              router.names.router,
              ['dns', router.resolverAddress],
              `resolver ${router.resolverAddress}`,
            ),
          ),
        ]
      : []),
    ...(target
      ? [
          check('target packet', async () => {
            const balancers = await router.balancerAddresses()
            return packet(
              router.names.balancer,
              ['tcp', target.address!, '80', ...balancers],
              `balancer to ${target.id} (${target.address}:80)`,
            )
          }),
        ]
      : []),
    ...(running.some(({ address }) => address !== null)
      ? [
          check('balancer', async () => {
            const { targets, taken } = await balancer.observe()
            if (taken.length > 0) throw new Error(taken.map(({ reason }) => reason).join('; '))
            return `${targets.filter((one) => one.health === 'healthy').length} of ${targets.length} targets are healthy`
          }),
        ]
      : []),
  ])
}
