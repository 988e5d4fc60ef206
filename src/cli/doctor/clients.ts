// The AWS clients on this machine: one that does not know AWS_ENDPOINT_URL would talk to the real AWS.
import { closeSync, openSync, readSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../../kernel/process.ts'
import { npmFolder } from '../caller.ts'
import type { Check } from '../requirements.ts'

type Client = {
  name: string
  argv: string[]
  install: string
  judge(said: string, path: string): Promise<Verdict>
}
/** `saw` replaces what the program said of itself. */
type Verdict = { obeys: boolean; saw?: string }

// botocore reads it from 1.31.0 (2023-07) on, the AWS CLI 2 from 2.13, Terraform's provider for AWS has a setting.
const CLIENTS: Client[] = [
  {
    name: 'aws',
    argv: ['aws', '--version'],
    install: 'pip install awscli',
    judge: async (said) => ({ obeys: obeys(said) }),
  },
  { name: 'eb', argv: ['eb', '--version'], install: 'pip install awsebcli', judge: judgeEb },
  {
    name: 'boto3',
    argv: [
      'python3',
      '-c',
      'import boto3, botocore; print("boto3", boto3.__version__, "botocore/" + botocore.__version__)',
    ],
    install: 'pip install boto3',
    judge: async (said) => ({ obeys: obeys(said) }),
  },
  {
    name: 'terraform',
    argv: ['terraform', 'version'],
    install: 'not needed',
    judge: async (said) => ({
      obeys: true,
      saw: `${said} (the version of its AWS provider is not looked at)`,
    }),
  },
]

/** Each client: found or not (which is no failure), and whether it can be pointed here. */
export async function checkClients(env: NodeJS.ProcessEnv = process.env): Promise<Check[]> {
  const checks = await Promise.all(CLIENTS.map((client) => checkClient(client, env)))
  const npm = npmFolder(env)
  return [
    ...checks,
    {
      name: 'npm',
      ok: true,
      saw: npm ? join(npm, '..') : 'not found: Node.js applications with dependencies cannot be built',
    },
  ]
}

async function checkClient({ name, argv, install, judge }: Client, env: NodeJS.ProcessEnv): Promise<Check> {
  const variables = { PATH: env['PATH'] ?? '', HOME: env['HOME'] ?? '/' }
  const ran = await run(argv, { env: variables, timeoutMs: 20_000 }).catch(() => undefined)
  if (!ran || ran.exit !== 0) return { name, ok: true, saw: `not installed (${install})` }
  const said = `${ran.stdout}${ran.stderr}`.trim().split('\n')[0] ?? ''
  const verdict = await judge(said, findIn(variables.PATH, argv[0]!) ?? '')
  const saw = verdict.saw ?? said
  if (verdict.obeys) return { name, ok: true, saw }
  return { name, ok: false, saw: `${saw} ignores AWS_ENDPOINT_URL: it would talk to the real AWS; update it` }
}

/** Pure: by what a client says of itself, `aws-cli/2.15.0 …` or `… botocore/1.34.0`. */
export function obeys(said: string): boolean {
  const second = /aws-cli\/2\.(\d+)/.exec(said)
  if (second) return Number(second[1]) >= 13
  const [, major = 0, minor = 0] = (/botocore\/(\d+)\.(\d+)/.exec(said) ?? []).map(Number)
  return major > 1 || (major === 1 && minor >= 31)
}

/** `eb` does not say which botocore it uses; the Python that runs it does. */
async function judgeEb(said: string, path: string): Promise<Verdict> {
  const python = interpreterOf(path)
  if (!python) return { obeys: true, saw: `${said} (its botocore could not be found)` }
  const program = 'import botocore; print("botocore/" + botocore.__version__)'
  const ran = await run([python, '-c', program], { timeoutMs: 20_000 }).catch(() => undefined)
  const botocore = ran?.stdout.toString().trim() ?? ''
  if (!botocore) return { obeys: true, saw: `${said} (its botocore could not be found)` }
  return { obeys: obeys(botocore), saw: `${said} ${botocore}` }
}

/** Of a script that begins with `#!/…/python`. */
function interpreterOf(path: string): string | undefined {
  try {
    const head = Buffer.alloc(256)
    const fd = openSync(realpathSync(path), 'r')
    readSync(fd, head)
    closeSync(fd)
    return /^#!(\/\S*python\S*)\s/.exec(head.toString('latin1'))?.[1]
  } catch {
    return undefined
  }
}

function findIn(path: string, name: string): string | undefined {
  for (const folder of path.split(':'))
    try {
      return realpathSync(join(folder, name))
    } catch {
      // not here
    }
  return undefined
}
