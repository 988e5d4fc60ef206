// `polebean up [DIR]`: starts Polebean if it is not running, deploys the folder, ends with the URL on stdout.
import { rmSync, statSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { discover } from '../../platforms/discover.ts'
import { megabytes, packFolder } from '../bundle.ts'
import { ApiError, type Api, type Input } from '../client.ts'
import { listEnvironments, type Environment } from '../environments.ts'
import { waitForRequest } from '../events.ts'
import { EXIT, Failure } from '../failure.ts'
import { linkEnvironment, linkedEnvironment } from '../links.ts'
import { note, print, printJson, spinner } from '../output.ts'
import { ensureServer } from '../start-server.ts'
import { textOf } from '../xml.ts'

const SAMPLE = fileURLToPath(new URL('../../../samples/flask-guestbook', import.meta.url))

export type UpOptions = { name?: string; json?: boolean; env?: string[] }

export async function up(homeDir: string, folder: string | undefined, options: UpOptions): Promise<void> {
  const dir = resolve(folder ?? SAMPLE)
  if (!statSync(dir, { throwIfNoEntry: false })?.isDirectory())
    throw new Failure(`${dir} is not a folder`, EXIT.usage)
  const found = await discover(dir)
  if (found.kind === 'problem') throw new Failure(found.message)
  for (const sentence of found.notes) note(sentence)

  const api = await ensureServer(homeDir)
  const bundle = await packFolder(dir)
  try {
    note(`Packed ${bundle.entries} files of ${dir} (${megabytes(bundle.bytes)}).`)
    for (const path of bundle.suspects)
      note(
        `Warning: ${path} looks like a secret and is part of the bundle; name it in .ebignore to leave it out.`,
      )
    const name = options.name ?? linkedEnvironment(api.home.id, dir) ?? nameOf(dir)
    const there = (await listEnvironments(api)).find((one) => one.name === name)
    const application = there?.application ?? name
    const version = `up-${bundle.sha256Hex.slice(0, 16)}`
    const settings = [...found.settings, ...properties(options.env ?? [])]

    if (
      there &&
      there.versionLabel === version &&
      there.status === 'Ready' &&
      there.health !== 'Red' &&
      !options.env?.length
    ) {
      note(`Nothing changed: ${name} runs this folder already.`)
    } else {
      await ensureVersion(api, application, version, bundle.file, bundle.sha256Hex)
      const { requestId } = there
        ? await update(api, there, version, settings)
        : await create(api, application, name, version, found.platform, settings)
      await watch(api, requestId)
    }
    linkEnvironment(api.home.id, dir, name)
    const ready = (await listEnvironments(api)).find((one) => one.name === name)
    if (!ready) throw new Failure(`${name} was terminated meanwhile`, EXIT.operationFailed)
    if (options.json) printJson(ready)
    else print(ready.url)
  } finally {
    rmSync(bundle.folder, { recursive: true, force: true })
  }
}

/** AWS: 4 to 40 characters, letters, digits and dashes, not first or last a dash. */
function nameOf(dir: string): string {
  const cleaned = basename(dir)
    .normalize('NFKD')
    .replace(/[^A-Za-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 36)
    .replace(/-+$/, '')
  return cleaned.length >= 4 ? cleaned : `${cleaned || 'app'}-env`.replace(/^-/, '')
}

const properties = (pairs: string[]) =>
  pairs.map((pair) => {
    const at = pair.indexOf('=')
    if (at < 1) throw new Failure(`'${pair}' is not NAME=VALUE`, EXIT.usage)
    const namespace = 'aws:elasticbeanstalk:application:environment'
    return { Namespace: namespace, OptionName: pair.slice(0, at), Value: pair.slice(at + 1) }
  })

async function ensureVersion(
  api: Api,
  application: string,
  version: string,
  file: string,
  sha256Hex: string,
) {
  await unlessThere(api.call('elasticbeanstalk', 'CreateApplication', { ApplicationName: application }))
  const { result } = await api.call('elasticbeanstalk', 'CreateStorageLocation')
  const bucket = textOf(result.S3Bucket)
  const key = join(application, `${version}.zip`)
  await api.upload(bucket, key, file, sha256Hex)
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

const update = (api: Api, there: Environment, version: string, settings: Input[]) =>
  api.call('elasticbeanstalk', 'UpdateEnvironment', {
    EnvironmentName: there.name,
    VersionLabel: version,
    OptionSettings: settings,
  })

async function watch(api: Api, requestId: string): Promise<void> {
  const progress = spinner()
  try {
    await waitForRequest(api, requestId, (event) => {
      progress.line(`${event.at.slice(11, 19)}  ${event.severity.padEnd(5)}  ${event.message}`)
      progress.text(event.message.split('\n')[0] ?? '')
    })
  } finally {
    progress.stop()
  }
}
