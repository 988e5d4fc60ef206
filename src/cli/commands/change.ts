// Commands that change an environment: setenv, scale, terminate.
import { createInterface } from 'node:readline/promises'
import { openApi, type Input } from '../client.ts'
import { chooseEnvironment } from '../environments.ts'
import { waitForRequest, type Event } from '../events.ts'
import { EXIT, Failure } from '../failure.ts'
import { note, print, printJson } from '../output.ts'

type Shown = { json?: boolean }
const PROPERTIES = 'aws:elasticbeanstalk:application:environment'

/** `NAME=VALUE` sets, `NAME=` removes; as eb's setenv. */
export async function setenv(
  homeDir: string,
  named: string | undefined,
  pairs: string[],
  shown: Shown,
): Promise<void> {
  const parsed = pairs.map(parsePair)
  const set = parsed.filter((one) => one.value !== '')
  const unset = parsed.filter((one) => one.value === '')
  await updateSettings(homeDir, named, shown, {
    OptionSettings: set.map((one) => ({ Namespace: PROPERTIES, OptionName: one.name, Value: one.value })),
    OptionsToRemove: unset.map((one) => ({ Namespace: PROPERTIES, OptionName: one.name })),
  })
}

/** Of NAME=VALUE; anything else is a Failure. */
export function parsePair(pair: string): { name: string; value: string } {
  const at = pair.indexOf('=')
  if (at < 1) throw new Failure(`'${pair}' is not NAME=VALUE`, EXIT.usage)
  return { name: pair.slice(0, at), value: pair.slice(at + 1) }
}

export async function scale(
  homeDir: string,
  named: string | undefined,
  count: string,
  shown: Shown,
): Promise<void> {
  if (!/^\d{1,5}$/.test(count) || Number(count) < 1)
    throw new Failure(`'${count}' is not a number of instances`, EXIT.usage)
  const setting = (name: string) => ({ Namespace: 'aws:autoscaling:asg', OptionName: name, Value: count })
  await updateSettings(homeDir, named, shown, { OptionSettings: [setting('MinSize'), setting('MaxSize')] })
}

const showEvent = ({ severity, message }: Event) => note(`${severity.padEnd(5)}  ${message}`)

async function updateSettings(
  homeDir: string,
  named: string | undefined,
  { json }: Shown,
  input: Input,
): Promise<void> {
  const api = openApi(homeDir)
  const environment = await chooseEnvironment(api, named)
  const call = { EnvironmentName: environment.name, ...input }
  const { requestId } = await api.call('elasticbeanstalk', 'UpdateEnvironment', call)
  await waitForRequest(api, environment, { requestId, goal: 'Ready' }, showEvent)
  if (json) printJson(await chooseEnvironment(api, environment.name))
}

export async function terminate(
  homeDir: string,
  named: string | undefined,
  options: Shown & { force?: boolean },
): Promise<void> {
  const api = openApi(homeDir)
  const environment = await chooseEnvironment(api, named)
  if (!options.force) await confirmName(environment.name)
  const { requestId } = await api.call('elasticbeanstalk', 'TerminateEnvironment', {
    EnvironmentName: environment.name,
  })
  await waitForRequest(api, environment, { requestId, goal: 'Terminated' }, showEvent)
  if (options.json) printJson({ terminated: environment.name })
  else print(`${environment.name} is terminated.`)
}

/** Asks for the name to be typed; a wrong one, or no terminal, is a Failure. */
export async function confirmName(name: string): Promise<void> {
  if (!process.stdin.isTTY) throw new Failure(`this needs --force when nobody can be asked`, EXIT.usage)
  const ask = createInterface({ input: process.stdin, output: process.stderr })
  const answer = await ask.question(`To confirm, type its name (${name}): `)
  ask.close()
  if (answer.trim() !== name) throw new Failure('the names differ; nothing was done', EXIT.usage)
}
