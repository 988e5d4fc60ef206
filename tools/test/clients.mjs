// The real AWS clients for the end-to-end tests, in a virtual environment in the user's cache (never in the clone).
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

const PACKAGES = ['awscli==1.45.11', 'awsebcli==3.27.1', 'boto3', 'moto[server]==5.2.3']

/** The folder of programs `aws`, `eb`, `python` (with boto3) and `moto_server`. Installs them once. */
export function clientPrograms() {
  const dir = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'polebean-test-clients-1')
  const bin = join(dir, 'bin')
  if (existsSync(join(bin, 'installed'))) return bin
  must(['/usr/bin/python3', '-m', 'venv', dir])
  must([join(bin, 'pip'), 'install', '--quiet', '--disable-pip-version-check', ...PACKAGES])
  must(['touch', join(bin, 'installed')])
  return bin
}

function must([file, ...args]) {
  const result = spawnSync(file, args, { stdio: ['ignore', 2, 2] })
  if (result.status !== 0) throw new Error(`${file} ${args.join(' ')}: exit ${result.status}`)
}
