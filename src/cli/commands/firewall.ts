// `firewall`: who may reach whom, as the engines enforce it; with --from and --to: whether one reaches another, and by what.
import type { FirewallReport } from '../../services/ec2/firewall-report.ts'
import type { Api, ApiHome } from '../client.ts'
import { chooseEnvironment, listEnvironments } from '../environments.ts'
import { EXIT, Failure } from '../failure.ts'
import { answersOf, type Answer } from '../firewall/answer.ts'
import { endOf } from '../firewall/ends.ts'
import { sentencesOf, subjectsOf } from '../firewall/words.ts'
import { note, paint, print, printJson } from '../output.ts'
import { openApiHere } from '../remote-api.ts'

type Options = { json?: boolean; from?: string; to?: string; port?: string; protocol?: string }

export const readFirewallReport = async (api: Api<ApiHome>): Promise<FirewallReport> =>
  JSON.parse(await api.get('/polebean/firewall')) as FirewallReport

/** Answers the exit status. */
export async function firewall(
  homeDir: string,
  named: string | undefined,
  options: Options,
): Promise<number> {
  const asked = askedOf(named, options)
  const api = openApiHere(homeDir)
  const environment = named === undefined ? undefined : (await chooseEnvironment(api, named)).name
  const report = await readFirewallReport(api)
  const names = asked ? (await listEnvironments(api)).map(({ name }) => name) : []
  const status = asked ? answer(report, asked, options, names) : show(report, environment, options)
  if (!options.json)
    for (const difference of report.differences) note(paint('ERROR', `polebean: ${difference}`))
  return report.differences.length > 0 ? EXIT.failed : status
}

type Asked = { from: string; to: string; protocol: 'tcp' | 'udp'; port: number | null }

function askedOf(named: string | undefined, { from, to, port, protocol }: Options): Asked | undefined {
  if (from === undefined && to === undefined) {
    if (port !== undefined || protocol !== undefined)
      throw new Failure('--port and --protocol go with --from and --to', EXIT.usage)
    return undefined
  }
  if (from === undefined || to === undefined) throw new Failure('--from and --to go together', EXIT.usage)
  if (named !== undefined)
    throw new Failure('--from and --to stand alone: without an environment', EXIT.usage)
  if (protocol !== undefined && protocol !== 'tcp' && protocol !== 'udp')
    throw new Failure(`--protocol is tcp or udp, not '${protocol}'`, EXIT.usage)
  const number = port === undefined ? null : Number(port)
  if (number !== null && !(/^\d+$/.test(port!) && number <= 65_535))
    throw new Failure(`--port is a number from 0 to 65535, not '${port}'`, EXIT.usage)
  return { from, to, protocol: protocol ?? 'tcp', port: number }
}

function show(report: FirewallReport, environment: string | undefined, { json }: Options): number {
  if (json) {
    const ids = subjectsOf(report)
      .filter((one) => environment === undefined || one.environment === environment)
      .map((one) => [one, sentencesOf(report, environment)] as const)
      .map(([{ who, environment: of, interfaces, groupIds }, all]) => ({
        ...{
          who,
          environment: of,
          groups: groupIds,
          sentences: all.find((one) => one.who === who)!.sentences,
        },
        interfaces: interfaces.map(({ id, address, instanceId, loadBalancer }) => ({
          id,
          address,
          instanceId,
          loadBalancer,
        })),
      }))
    const { generation, differences, groups, listeners } = report
    printJson({ generation, differences, subjects: ids, groups, listeners })
    return EXIT.ok
  }
  const all = sentencesOf(report, environment)
  if (all.length === 0) print('There is no instance and no load balancer that could be reached.')
  for (const { who, sentences } of all) print(`${who}: ${sentences.join(' ')}`)
  return EXIT.ok
}

function answer(
  report: FirewallReport,
  { from, to, ...asked }: Asked,
  { json }: Options,
  environments: string[],
): number {
  const [sender, receiver] = [
    endOf(report, from, 'from', environments),
    endOf(report, to, 'to', environments),
  ]
  const answers = answersOf(report, sender, receiver, asked)
  if (answers.length === 0)
    throw new Failure(`nothing of ${to} can be reached by ${from}: it has no instances`)
  const allowed = answers.every((one) => one.allowed)
  if (json) printJson({ allowed, ...asked, answers, differences: report.differences })
  else for (const one of answers) print(sentence(one, asked))
  return allowed ? EXIT.ok : EXIT.failed
}

function sentence(
  { allowed, from, to, why }: Answer,
  { protocol, port }: Omit<Asked, 'from' | 'to'>,
): string {
  const what = port === null ? (protocol === 'tcp' ? '' : `${protocol} at `) : `${protocol} ${port} at `
  const verb = `${allowed ? 'may' : 'may not'} ${what === '' ? 'reach ' : 'open '}`
  return `${paint(allowed ? 'Green' : 'Red', allowed ? 'Yes' : 'No')}: ${from} ${verb}${what}${to}: ${why}.`
}
