// Which platforms exist here, under AWS's names. All that the Beanstalk service needs:
//
//   const catalogue = makeCatalogue(await probeRuntimes(…))        // once, at start (probe.ts)
//   catalogue.renew(await probeRuntimes(…))                      // when an interpreter came, went or changed
//   catalogue.stacks                                               // newest first: ListAvailableSolutionStacks, ListPlatform…
//   catalogue.resolve('64bit Amazon Linux 2023 v4.0.1 running Python 3.11')     // a stack name, or
//   catalogue.resolve('arn:aws:elasticbeanstalk:…::platform/Python 3.11 running on 64bit Amazon Linux 2023/4.0.1')
//     → { kind: 'found', stack, version, solutionStackName, platformArn(region) }   the version as it was asked for
//     → { kind: 'missing', message }      a branch of AWS whose interpreter this machine lacks: names the command
//     → { kind: 'unknown', message }      "No Solution Stack named 'X' found."
//
// What a version installs does not depend on the patch version asked for: `stack.runtime` does (it is in layer keys).

export type Family = 'python' | 'nodejs'

/** An interpreter that was found on this machine. */
export type Runtime = {
  family: Family
  /** As AWS's branches count: `3.11`, `26`. */
  language: string
  /** Its path on the host; what instances run. */
  program: string
  /** Exact version and build, e.g. `3.11.2 (main, Apr 28 2025, 14:11:48) [GCC 12.2.0]`: another one is another platform. */
  build: string
}

export type Stack = {
  runtime: Runtime
  /** `Python 3.11 running on 64bit Amazon Linux 2023`: the PlatformBranchName, and the name within the ARN. */
  branchName: string
  /** `Python` or `Node.js`: the PlatformName of a branch. */
  platformName: string
  /** The version that we list, e.g. `4.6.0`. */
  version: string
  solutionStackName: string
  platformArn(region: string): string
}

export type Resolution =
  | {
      kind: 'found'
      stack: Stack
      version: string
      solutionStackName: string
      platformArn(region: string): string
    }
  | { kind: 'missing' | 'unknown'; message: string }

export type Catalogue = {
  readonly stacks: Stack[]
  resolve(stackNameOrPlatformArn: string): Resolution
  /** These interpreters are there from now on. Another build of one is another platform: its layers are built anew. */
  renew(runtimes: Runtime[]): void
}

const OPERATING_SYSTEM = '64bit Amazon Linux 2023'

/** AWS's series on Amazon Linux 2023 (Python is 4.x, Node.js 6.x) and the branches known there. */
const FAMILIES = {
  python: { name: 'Python', version: '4.6.0', known: ['3.14', '3.13', '3.12', '3.11', '3.10', '3.9'] },
  nodejs: { name: 'Node.js', version: '6.5.0', known: ['26', '24', '22', '20', '18'] },
} as const

export function makeCatalogue(runtimes: Runtime[]): Catalogue {
  const sorted = (found: Runtime[]) => found.map(stackOf).sort(newestFirst)
  let stacks = sorted(runtimes)
  return {
    get stacks() {
      return stacks
    },
    resolve: (asked) => resolve(stacks, asked),
    renew: (found) => void (stacks = sorted(found)),
  }
}

function stackOf(runtime: Runtime): Stack {
  const { name, version } = FAMILIES[runtime.family]
  return { runtime, platformName: name, ...names(name, runtime.language, version), version }
}

// `Python 3.11` and `4.6.0` → every name that AWS gives to it.
function names(platformName: string, language: string, version: string) {
  const branchName = `${platformName} ${language} running on ${OPERATING_SYSTEM}`
  return {
    branchName,
    solutionStackName: `${OPERATING_SYSTEM} v${version} running ${platformName} ${language}`,
    platformArn: (region: string) => `arn:aws:elasticbeanstalk:${region}::platform/${branchName}/${version}`,
  }
}

// Python before Node.js, then the higher language version: Terraform's `most_recent` takes the first that matches.
function newestFirst(a: Stack, b: Stack): number {
  if (a.runtime.family !== b.runtime.family) return a.runtime.family === 'python' ? -1 : 1
  return b.runtime.language.localeCompare(a.runtime.language, 'en', { numeric: true })
}

const STACK_NAME = /^64bit Amazon Linux 2023 v(\d+\.\d+\.\d+) running (Python|Node\.js) (\d+(?:\.\d+)?)$/
const PLATFORM_ARN =
  /^arn:aws:elasticbeanstalk:[a-z0-9-]*::platform\/(Python|Node\.js) (\d+(?:\.\d+)?) running on 64bit Amazon Linux 2023\/(\d+\.\d+\.\d+)$/

function resolve(stacks: Stack[], asked: string): Resolution {
  const wanted = parse(asked)
  if (!wanted) return unknown(asked)
  const { platformName, language, version } = wanted
  const stack = stacks.find(
    (each) => each.platformName === platformName && each.runtime.language === language,
  )
  if (stack) return { kind: 'found', stack, version, ...names(platformName, language, version) }
  const [family, { known }] =
    platformName === 'Python' ? ['python', FAMILIES.python] : ['nodejs', FAMILIES.nodejs]
  if (!known.some((each) => each === language)) return unknown(asked)
  return {
    kind: 'missing',
    message: `${asked} needs ${platformName} ${language}, which this machine lacks. ${remedy(family, language)}`,
  }
}

function parse(asked: string): { platformName: string; language: string; version: string } | undefined {
  const [, version, platformName, language] = STACK_NAME.exec(asked) ?? []
  if (version && platformName && language) return { platformName, language, version }
  const [, arnPlatformName, arnLanguage, arnVersion] = PLATFORM_ARN.exec(asked) ?? []
  if (arnPlatformName && arnLanguage && arnVersion) {
    return { platformName: arnPlatformName, language: arnLanguage, version: arnVersion }
  }
  return undefined
}

const unknown = (asked: string): Resolution => ({
  kind: 'unknown',
  message: `No Solution Stack named '${asked}' found.`,
})

// Which Debian and Ubuntu releases carry which Python is not ours to know: the command says it itself.
function remedy(family: string, language: string): string {
  if (family === 'nodejs')
    return 'Polebean brings one Node.js of its own: choose a stack that list-available-solution-stacks names.'
  return (
    `Add it with: sudo apt-get install python${language} python${language}-venv ` +
    '(if your distribution has no such package, choose a stack that list-available-solution-stacks names).'
  )
}
