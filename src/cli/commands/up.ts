// `polebean up [DIR]`: starts Polebean if it is not running, deploys the folder, ends with the URL on stdout.
import { statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { discover, type Discovery } from '../../platforms/discover.ts'
import { megabytes, packFolder, type Bundle } from '../bundle.ts'
import { ApiError, type Api, type Input } from '../client.ts'
import { listEnvironments, type Environment } from '../environments.ts'
import { waitForRequest, waitUntilSettled, type Event } from '../events.ts'
import { EXIT, Failure } from '../failure.ts'
import { listFolder } from '../folder.ts'
import { linkFolder } from '../links.ts'
import { bar, note, print, printJson, spinner } from '../output.ts'
import { ensureServer } from '../start-server.ts'
import { aimOf, type Aim } from '../up-target.ts'
import { textOf } from '../xml.ts'
import { parsePair } from './change.ts'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const SAMPLE = join(ROOT, 'samples/flask-guestbook')
const PROPERTIES = 'aws:elasticbeanstalk:application:environment'

export type UpOptions = { name?: string; json?: boolean; env?: string[] }
type Found = Extract<Discovery, { kind: 'found' }>

export async function up(homeDir: string, folder: string | undefined, options: UpOptions): Promise<void> {
  // So that what is left behind in /tmp is removed.
  for (const [signal, number] of [
    ['SIGINT', 2],
    ['SIGTERM', 15],
    ['SIGHUP', 1],
  ] as const)
    process.once(signal, () => process.exit(128 + number))
  const given = (options.env ?? []).map(parsePair)
  const { dir, found } = await lookAt(folder)

  const api = await during('Starting Polebean', () => ensureServer(homeDir))
  const bundle = await pack(dir)
  try {
    const aim = aimOf(await listEnvironments(api), api.home.id, dir, options.name)
    const version = `up-${bundle.sha256Hex.slice(0, 16)}`
    const environment = await deploy(api, aim, { dir, bundle, version, found, given })
    if (options.json) printJson(environment)
    else print(environment.url)
  } finally {
    bundle.remove()
  }
}

/** The folder named, else the current one; inside Polebean's own clone that is no application, so the sample. */
async function lookAt(folder: string | undefined): Promise<{ dir: string; found: Found }> {
  const here = process.cwd()
  const dir = resolve(folder ?? (join(here, '/') === ROOT ? SAMPLE : here))
  if (!statSync(dir, { throwIfNoEntry: false })?.isDirectory())
    throw new Failure(`${dir} is not a folder`, EXIT.usage)
  const found = await discover(dir)
  if (found.kind === 'problem')
    throw new Failure(
      folder === undefined ? `${dir}: ${found.message} Name another folder: polebean up DIR` : found.message,
    )
  for (const sentence of found.notes) note(sentence)
  listFolder(dir) // what cannot be read is said before anything is started
  return { dir, found }
}

async function pack(dir: string): Promise<Bundle> {
  const bundle = await during(`Packing ${dir}`, (progress) =>
    packFolder(dir, (done, all) => progress(`Packing ${bar(done, all)} of ${all} files`)),
  )
  note(`Packed ${bundle.entries} files of ${dir} (${megabytes(bundle.bytes)}).`)
  for (const path of bundle.suspects)
    note(
      `Warning: ${path} looks like a secret and is part of the bundle; name it in .ebignore to leave it out.`,
    )
  return bundle
}

type What = {
  dir: string
  bundle: Bundle
  version: string
  found: Found
  given: { name: string; value: string }[]
}

async function deploy(api: Api, aim: Aim, what: What): Promise<Environment> {
  const { dir, bundle, version, found, given } = what
  const there = await settled(api, aim)
  const settings = [
    ...found.settings,
    ...given.map(({ name, value }) => ({ Namespace: PROPERTIES, OptionName: name, Value: value })),
  ]
  if (there && isSame(there, version) && given.length === 0) {
    note(`Nothing changed: ${there.name} runs this folder already.`)
    link(api, dir, there)
    return there
  }
  if (there) checkPlatform(there, found, dir)
  const application = there?.application ?? aim.name
  await ensureVersion(api, application, version, bundle)
  const { requestId, result } = there
    ? await update(api, there, version, settings, forgotten(found))
    : await create(api, application, aim.name, version, found.platform, settings)
  const subject = { name: aim.name, id: textOf(result.EnvironmentId) }
  // Now, so that the next try knows that it is ours, also when this one fails.
  link(api, dir, subject)
  await watch(`Waiting for ${aim.name}`, (show) =>
    waitForRequest(api, subject, { requestId, goal: 'Ready' }, show),
  )
  const ready = (await listEnvironments(api)).find((one) => one.id === subject.id)
  if (!ready) throw new Failure(`${aim.name} was terminated meanwhile`, EXIT.operationFailed)
  return ready
}

// An environment stays on its platform, whose patch version may be another than what a new one would get.
function checkPlatform(there: Environment, { platform }: Found, dir: string): void {
  const [has, needs] = [there.platform, platform].map((name) => /Python|Node\.js/.exec(name)?.[0] ?? name)
  if (has === needs) return
  throw new Failure(
    `${there.name} runs ${has}, and ${dir} is a ${needs} application: an environment keeps its platform. ` +
      'Deploy it to another one: polebean up DIR --name NAME',
  )
}

/** Where the default holds (application:application, or a Procfile), what an earlier folder needed must not stay. */
const forgotten = ({ platform, settings }: Found): Input[] =>
  [{ Namespace: 'aws:elasticbeanstalk:container:python', OptionName: 'WSGIPath' }].filter(
    ({ OptionName }) => platform.includes('Python') && settings.every((one) => one.OptionName !== OptionName),
  )

const isSame = ({ versionLabel, status, health }: Environment, version: string) =>
  versionLabel === version && status === 'Ready' && health !== 'Red'

/** The environment to deploy to, when nothing else is under way on it; undefined when it is to be made. */
async function settled(api: Api, { there, name }: Aim): Promise<Environment | undefined> {
  if (!there || there.status === 'Ready') return there
  note(`${name} is ${there.status}; its operation is followed first.`)
  await watch(`${name} is ${there.status}`, (show) => waitUntilSettled(api, there, show))
  return (await listEnvironments(api)).find((one) => one.id === there.id)
}

/** A convenience; where it cannot be kept, the deployment is none the worse. */
function link(api: Api, dir: string, environment: { name: string; id: string }): void {
  try {
    linkFolder(api.home.id, dir, environment)
  } catch (error) {
    note(
      `Warning: that ${dir} belongs to ${environment.name} cannot be remembered (${(error as Error).message}); ` +
        `next time say: polebean up ${dir} --name ${environment.name}`,
    )
  }
}

async function ensureVersion(api: Api, application: string, version: string, bundle: Bundle): Promise<void> {
  await unlessThere(api.call('elasticbeanstalk', 'CreateApplication', { ApplicationName: application }))
  const { result } = await api.call('elasticbeanstalk', 'CreateStorageLocation')
  const bucket = textOf(result.S3Bucket)
  const key = join(application, `${version}.zip`)
  const size = megabytes(bundle.bytes)
  await during(`Uploading ${size}`, (progress) =>
    api.upload(bucket, key, bundle.file, bundle.sha256Hex, (bytes) =>
      progress(`Uploading ${bar(bytes, bundle.bytes)} of ${size}`),
    ),
  )
  note(`Uploaded version ${version} (${size}).`)
  await unlessThere(
    api.call('elasticbeanstalk', 'CreateApplicationVersion', {
      ApplicationName: application,
      VersionLabel: version,
      SourceBundle: { S3Bucket: bucket, S3Key: key },
      Process: true,
    }),
  )
}

async function unlessThere(call: Promise<unknown>): Promise<void> {
  try {
    await call
  } catch (error) {
    if (!(error instanceof ApiError && / already exists\.$/.test(error.message))) throw error
  }
}

const create = (
  api: Api,
  application: string,
  name: string,
  version: string,
  platform: string,
  settings: Input[],
) =>
  api.call('elasticbeanstalk', 'CreateEnvironment', {
    ApplicationName: application,
    EnvironmentName: name,
    CNAMEPrefix: name.toLowerCase(),
    VersionLabel: version,
    SolutionStackName: platform,
    OptionSettings: settings,
  })

const update = (api: Api, there: Environment, version: string, settings: Input[], gone: Input[]) =>
  api.call('elasticbeanstalk', 'UpdateEnvironment', {
    EnvironmentId: there.id,
    VersionLabel: version,
    OptionSettings: settings,
    OptionsToRemove: gone,
  })

/** Shows that something is under way, on a terminal. */
async function during<T>(text: string, work: (progress: (now: string) => void) => Promise<T>): Promise<T> {
  const progress = spinner(`${text} …`)
  try {
    return await work(progress.text)
  } finally {
    progress.stop()
  }
}

const watch = (text: string, work: (show: (event: Event) => void) => Promise<void>): Promise<void> =>
  during(text, (progress) =>
    work((event) => {
      note(`${event.at.slice(11, 19)}  ${event.severity.padEnd(5)}  ${event.message}`)
      progress(event.message)
    }),
  )
