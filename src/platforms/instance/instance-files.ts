// Everything laid into an instance for an application, whatever its language.
import type { InstanceFile } from '../../engines/compute/engine.ts'
import { SYSTEM_PYTHON, asset } from '../plan.ts'
import type { Process } from '../procfile.ts'
import { nginxConf } from './nginx-conf.ts'
import { nginxService, processService, rotateService } from './services.ts'

export type InstanceModel = {
  processes: Process[]
  /** Whole environment of the processes, and of those the ones that the user set. */
  env: Record<string, string>
  properties: Record<string, string>
  port: number
  proxyServer: 'nginx' | 'none'
  staticFiles: Record<string, string>
}

export type InstanceFilesResult =
  | { kind: 'files'; files: InstanceFile[] }
  | { kind: 'problem'; problem: string }

export const AWAIT_START = '/opt/elasticbeanstalk/bin/await-start'

export function instanceFiles(model: InstanceModel): InstanceFilesResult {
  const { processes, env, properties, port, proxyServer, staticFiles } = model
  const odd = Object.keys(env).find((name) => !VARIABLE_NAME.test(name))
  if (odd !== undefined)
    return {
      kind: 'problem',
      problem: `The environment property '${odd}' has a name that no environment variable can have.`,
    }
  const broken = Object.keys(env).find((name) => env[name]?.includes('\0'))
  if (broken !== undefined)
    return { kind: 'problem', problem: `The environment property '${broken}' holds a NUL byte.` }
  const services = [...processes.flatMap((process) => processService(process, env)), ...rotateService()]
  const files = [...services, ...platformFiles(processes, properties, port)]
  if (proxyServer === 'none') return { kind: 'files', files }
  const nginx = nginxConf({ port, staticFiles })
  if (nginx.kind === 'problem') return nginx
  const conf: InstanceFile = {
    path: '/etc/nginx/nginx.conf',
    content: nginx.conf,
    mode: 0o644,
    owner: 'root',
  }
  return { kind: 'files', files: [...files, ...nginxService(), conf] }
}

const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_.:+@-]{0,254}$/

/** Static folders that the bundle has: a location of nginx for one that it lacks would hide the application's own. */
export const existingFolders = ({ topLevel }: { topLevel: string[] }, staticFiles: Record<string, string>) =>
  Object.fromEntries(
    Object.entries(staticFiles).filter(([, folder]) =>
      topLevel.includes(`${folder.replace(/^\/+/, '').split('/')[0]}/`),
    ),
  )

/** AWS's `env` beside it, which the engine writes, loses line breaks; JSON does not. */
const ENVIRONMENT_FILE = '/opt/elasticbeanstalk/deployment/environment.json'
const START_FILE = '/opt/elasticbeanstalk/deployment/start.json'

function platformFiles(
  processes: Process[],
  properties: Record<string, string>,
  port: number,
): InstanceFile[] {
  const start = { port, processes: processes.map(({ name, command, shown = command }) => [name, shown]) }
  const program = (path: string, name: string): InstanceFile => ({
    path,
    content: `#!${SYSTEM_PYTHON} -I\n${asset(name)}`,
    mode: 0o755,
    owner: 'root',
  })
  return [
    program(AWAIT_START, 'await-start.py'),
    program('/opt/elasticbeanstalk/bin/get-config', 'get-config.py'),
    { path: START_FILE, content: JSON.stringify(start), mode: 0o644, owner: 'root' },
    { path: ENVIRONMENT_FILE, content: JSON.stringify(properties), mode: 0o600, owner: 'root' },
  ]
}
