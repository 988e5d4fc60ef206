// `domain`: a name of the user's own that leads to an environment, with a certificate and by HTTPS. All of it by the same API as everybody.
import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { DomainReport, NamesReport, RequestedCertificate } from '../../services/cloud.ts'
import { type Api, type Input, openApi } from '../client.ts'
import { chooseEnvironment, type Environment, type Setting, settingsOf } from '../environments.ts'
import { waitForRequest } from '../events.ts'
import { EXIT, Failure } from '../failure.ts'
import { note, print, printJson, printTable } from '../output.ts'
import { untilRedirects, untilShown } from './domain-served.ts'
import { addRedirect, removeRedirect } from './domain-redirect.ts'

type Options = { json?: boolean; wait?: string; redirect?: boolean; https?: boolean }

const DOMAINS = 'polebean:domains'
const LISTENER = 'aws:elbv2:listener:443'
const CERTIFICATES = 'SSLCertificateArns'
const POLL_MS = 500
const WAIT_SECONDS = 120

export async function add(
  homeDir: string,
  asked: string,
  named: string | undefined,
  options: Options,
): Promise<void> {
  const waitSeconds = Number(options.wait ?? WAIT_SECONDS)
  if (!Number.isFinite(waitSeconds) || waitSeconds < 0)
    throw new Failure(`--wait is a number of seconds, not '${options.wait}'`, EXIT.usage)
  const api = openApi(homeDir)
  const environment = await chooseEnvironment(api, named)
  const settings = await settingsOf(api, environment)
  requireOwnBalancer(environment, settings)
  const report = await readDomain(api, asked)
  for (const line of adviceFor(report, environment)) note(line)
  const arn = options.https === false ? undefined : await certified(api, report, waitSeconds)
  await update(api, environment, { OptionSettings: changesFor(settings, report, arn) })
  const { name, ports } = report
  const asVisitor = name.replace('*', 'any')
  if (arn !== undefined) await untilShown(asVisitor, ports.https)
  if (arn !== undefined && options.redirect !== false && (await addRedirect(api, environment, name)))
    await untilRedirects(asVisitor, ports.http)
  const url = urlOf(report, arn !== undefined)
  if (options.json)
    printJson({ name: report.name, environment: environment.name, certificate: arn ?? null, url })
  else print(url)
}

export async function list(homeDir: string, { json }: Options): Promise<void> {
  const api = openApi(homeDir)
  const certificates = await readCertificates(api)
  const { names } = JSON.parse(await api.get('/polebean/names')) as NamesReport
  const leads = new Map(names.map(({ name, leadsTo }) => [name, leadsTo]))
  const rows = certificates.flatMap((one) =>
    one.names.map((name) => ({ name, leadsTo: leads.get(name) ?? null, ...one })),
  )
  if (json) return printJson(rows)
  if (rows.length === 0) return print('No certificate was asked for yet.')
  printTable(
    ['NAME', 'LEADS TO', 'CERTIFICATE', 'UNTIL', ''],
    rows.map(({ name, leadsTo, stage, until, reason }) => [
      ...[
        name,
        leadsTo ?? '-',
        stage,
        until === null ? '-' : new Date(until).toISOString().slice(0, 10),
        reason,
      ],
    ]),
  )
}

export async function remove(
  homeDir: string,
  asked: string,
  named: string | undefined,
  { json }: Options,
): Promise<void> {
  const api = openApi(homeDir)
  const environment = await chooseEnvironment(api, named)
  const settings = await settingsOf(api, environment)
  const { name } = await readDomain(api, asked)
  const [hosts, arns] = [listOf(settings, DOMAINS, 'Hosts'), listOf(settings, LISTENER, CERTIFICATES)]
  const certificate = (await readCertificates(api)).find((one) => isOf(name)(one) && arns.includes(one.arn))
  if (!certificate && !hosts.includes(name))
    throw new Failure(`${environment.name} has no domain ${name}. It has: ${hosts.join(', ') || 'none'}.`)
  await removeRedirect(api, environment, name)
  const left = arns.filter((arn) => arn !== certificate?.arn)
  await update(api, environment, {
    OptionSettings: [
      setting(DOMAINS, 'Hosts', hosts.filter((host) => host !== name).join(',')),
      ...(certificate && left.length > 0 ? [setting(LISTENER, CERTIFICATES, left.join(','))] : []),
    ],
    // A listener of HTTPS has a certificate, or is none.
    OptionsToRemove:
      certificate && left.length === 0
        ? ['Protocol', 'ListenerEnabled', CERTIFICATES].map((OptionName) => ({
            Namespace: LISTENER,
            OptionName,
          }))
        : [],
  })
  if (certificate) await api.json('acm', 'DeleteCertificate', { CertificateArn: certificate.arn })
  if (json) printJson({ removed: name })
  else print(`${name} does not lead to ${environment.name} any more.`)
}

const readDomain = async (api: Api, asked: string) =>
  JSON.parse(await api.get(`/polebean/domain?name=${encodeURIComponent(asked)}`)) as DomainReport

const setting = (Namespace: string, OptionName: string, Value: string) => ({ Namespace, OptionName, Value })

const valueOf = (settings: Setting[], namespace: string, option: string): string =>
  settings.find((one) => one.namespace === namespace && one.option === option)?.value ?? ''

const listOf = (settings: Setting[], namespace: string, option: string): string[] =>
  valueOf(settings, namespace, option)
    .split(',')
    .filter((one) => one !== '')

const isOf = (name: string) => (one: RequestedCertificate) =>
  one.names.join() === name && one.stage !== 'timed out'

const readCertificates = async (api: Api) =>
  JSON.parse(await api.get('/polebean/certificates')) as RequestedCertificate[]

function requireOwnBalancer({ name }: Environment, settings: Setting[]): void {
  const environment = (option: string) => valueOf(settings, 'aws:elasticbeanstalk:environment', option)
  if (environment('EnvironmentType') === 'SingleInstance')
    throw new Failure(
      `${name} has a single instance and no load balancer, which HTTPS needs: set EnvironmentType to LoadBalanced`,
    )
  if (environment('LoadBalancerIsShared') === 'true' || environment('LoadBalancerType') !== 'application')
    throw new Failure(
      `${name} has no Application Load Balancer of its own: give its listener a certificate of acm request-certificate yourself`,
    )
}

/** What its owner should know before, and the record that leads the name here. */
function adviceFor(report: DomainReport, { cname }: Environment): string[] {
  const { name, isLocal, isOurs, wanted, found, problems } = report
  if (isLocal) return []
  const records = isOurs
    ? [`  a record of its zone here: ${name} CNAME ${cname}, or at the apex an alias of the load balancer`]
    : [...wanted.A.map((one) => `  ${name}. A ${one}`), ...wanted.AAAA.map((one) => `  ${name}. AAAA ${one}`)]
  return [
    ...problems.map((one) => `polebean: ${one}`),
    ...(isLed(report)
      ? []
      : [`${name} is ${addressesFound(found).join(', ') || 'no name yet'}. What leads it here:`, ...records]),
  ]
}

/** The ARN of a certificate of the name, once it is issued. */
async function certified(api: Api, report: DomainReport, waitSeconds: number): Promise<string> {
  const { name } = report
  const there = (await readCertificates(api)).find(isOf(name))
  // Who asks again has done what was in the way.
  if (there) await api.post(`/polebean/certificates?retry=${encodeURIComponent(there.arn)}`)
  const arn = there?.arn ?? (await request(api, name, methodFor(report)))
  const end = performance.now() + waitSeconds * 1000
  for (let told = ''; ; await sleep(POLL_MS)) {
    const now = (await readCertificates(api)).find((one) => one.arn === arn)
    if (!now) throw new Failure('the certificate was deleted meanwhile', EXIT.operationFailed)
    if (now.until !== null) return arn
    if (now.reason !== '' && now.reason !== told) note((told = now.reason))
    if (performance.now() > end)
      throw new Failure(
        `there is no certificate yet: ${now.reason || `it is being ordered (${now.stage})`}. It is tried again at ` +
          `${new Date(now.nextAt).toISOString().slice(11, 19)}Z by itself; then run the same once more`,
        EXIT.operationFailed,
      )
  }
}

/** A name that leads here is shown by HTTP, whether its zone is delegated to us or not. */
const methodFor = (report: DomainReport): 'DNS' | 'HTTP' =>
  report.name.startsWith('*.') || (report.isOurs && !isLed(report)) ? 'DNS' : 'HTTP'

/** Whether others are told that the name is this machine. */
function isLed({ wanted, found }: DomainReport): boolean {
  const addresses = [...wanted.A, ...wanted.AAAA]
  const there = addressesFound(found)
  return there.length > 0 && there.every((one) => addresses.includes(one))
}

const addressesFound = (found: DomainReport['found']) => [...(found?.A ?? []), ...(found?.AAAA ?? [])]

async function request(api: Api, name: string, ValidationMethod: 'DNS' | 'HTTP'): Promise<string> {
  const { CertificateArn } = await api.json<{ CertificateArn: string }>('acm', 'RequestCertificate', {
    ...{ DomainName: name, ValidationMethod, KeyAlgorithm: 'EC_prime256v1' },
    // Asked for twice at once, it is one.
    IdempotencyToken: createHash('sha256').update(name).digest('hex').slice(0, 32),
  })
  return CertificateArn
}

/** A name of a zone here leads by its record; others are told to the environment. */
function changesFor(settings: Setting[], { name, isOurs }: DomainReport, arn: string | undefined) {
  const [hosts, arns] = [listOf(settings, DOMAINS, 'Hosts'), listOf(settings, LISTENER, CERTIFICATES)]
  return [
    ...(isOurs || hosts.includes(name) ? [] : [setting(DOMAINS, 'Hosts', [...hosts, name].join(','))]),
    ...(arn === undefined || arns.includes(arn)
      ? []
      : [
          setting(LISTENER, 'Protocol', 'HTTPS'),
          setting(LISTENER, 'ListenerEnabled', 'true'),
          setting(LISTENER, CERTIFICATES, [...arns, arn].join(',')),
        ]),
  ]
}

async function update(
  api: Api,
  environment: Environment,
  changes: { OptionSettings: Input[]; OptionsToRemove?: Input[] },
): Promise<void> {
  if (Object.values(changes).every((some) => some.length === 0)) return
  const { requestId } = await api.call('elasticbeanstalk', 'UpdateEnvironment', {
    ...{ EnvironmentName: environment.name, ...changes },
  })
  await waitForRequest(api, environment, { requestId, goal: 'Ready' }, ({ severity, message }) =>
    note(`${severity.padEnd(5)}  ${message}`),
  )
}

function urlOf({ name, ports: { http, https } }: DomainReport, isHttps: boolean): string {
  const host = name.replace('*', 'any')
  const [scheme, port, usual] = isHttps ? (['https', https, 443] as const) : (['http', http, 80] as const)
  return `${scheme}://${host}${port === usual ? '' : `:${port}`}/`
}
