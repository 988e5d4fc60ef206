// What a failed build said, as the sentence of an event: which package or line, why, and the end of the output.

export type Explanation = {
  /** One sentence for an ERROR event. */
  sentence: string
  /** What was run and failed, as it was started; '' when the output does not tell. */
  command: string
  /** The last lines of the output (50 at most), without credentials. */
  lines: string[]
}

const LINES_MAX = 50

/** The whole text of an event: the sentence stays on a line of its own. */
export const eventText = ({ sentence, command, lines }: Explanation) =>
  [sentence, ...(command ? [`Command: ${command}`] : []), ...lines].join('\n')

/** `key` is the key of the layer: its prefix says which build it was. */
export function explainBuild(key: string, output: string): Explanation {
  const all = withoutSandbox(withoutCredentials(output))
    .split(/\r?\n|\r/)
    .map((line) => line.trimEnd())
    .filter(Boolean)
  const lines = all.filter((line) => !FAILED_COMMAND.test(line) && !OWN_REASON.test(line))
  const kind = key.startsWith('bundle-') ? 'bundle' : key.startsWith('python-') ? 'python' : 'nodejs'
  const command = commandOf(all)
  const own = firstMatch(all, OWN_REASON)?.[1]
  return { sentence: own ?? sentenceOf(kind, lines, command), command, lines: lines.slice(-LINES_MAX) }
}

// The installers (assets/install-*.py) announce each command, and name the one that failed once more at the end: of a
// long output only the end is kept. One that was cut off by the time limit could only announce it.
/** Why a build was refused or ended from outside (layers.ts). */
const OWN_REASON = /^\[polebean\] (.+)$/
const FAILED_COMMAND = /^\[build\] command=(.+)$/
const commandOf = (lines: string[]) =>
  firstMatch(lines, FAILED_COMMAND)?.[1] ??
  lines.map((line) => /^\+ (.+)$/.exec(line)?.[1]).findLast((command) => command !== undefined) ??
  ''

/** Index URLs of pip and npm may hold a password; paths of the sandbox mean nothing to anybody. */
export const withoutCredentials = (text: string) => text.replace(/(https?:\/\/)[^\s/@]+@/g, '$1****@')
const withoutSandbox = (text: string) =>
  text.replace(/\/build\/in\/app\.|\/build\/in\/|\/tmp\/staging\//g, '')

function sentenceOf(kind: 'bundle' | 'python' | 'nodejs', lines: string[], command: string): string {
  const last = lines.at(-1) ?? 'no output'
  if (kind === 'bundle') return `The source bundle could not be unpacked: ${last}`
  if (kind === 'nodejs') return `Failed to install dependencies with npm: ${npmReason(lines) ?? last}`
  const reason = pipReason(lines) ?? last
  const gunicorn = / install (?:--\S+ )*(gunicorn==\S+)$/.exec(command)?.[1]
  if (gunicorn) return `fail to install ${gunicorn}, which the platform adds, with error: ${reason}`
  // AWS: "fail to install dependencies with requirements.txt file with error …", developer guide, troubleshooting.
  const file = / -r (?:\S*\/)?(\S+)$/.exec(command)?.[1] ?? 'requirements.txt'
  return `fail to install dependencies with ${file} file with error: ${reason}`
}

const firstMatch = (lines: string[], pattern: RegExp) =>
  lines.map((line) => pattern.exec(line)).find((match) => match !== null)

type Words = (found: string[], lines: string[]) => string

const UNREACHABLE =
  /Temporary failure in name resolution|Name or service not known|NewConnectionError|Network is unreachable|ConnectTimeoutError/

const PIP_REASONS: [RegExp, Words][] = [
  [/^\[ended after (\d+) seconds\]/, ([, seconds]) => `it took longer than ${seconds} seconds.`],
  [
    UNREACHABLE,
    () => 'the package index cannot be reached from the build sandbox (network, proxy or pip configuration).',
  ],
  [
    /CERTIFICATE_VERIFY_FAILED/,
    () => "the package index's certificate is not trusted: set pip's 'cert' to your CA file.",
  ],
  [/40[13] (?:Client )?Error/, () => 'the package index refuses the credentials of your pip configuration.'],
  [
    /Invalid requirement: (.+)/,
    ([, what = '']) => `${what.trim()} is not a requirement that pip understands.`,
  ],
  [
    /Could not open requirements file: .*'([^']+)'/,
    ([, what]) => `the file '${what}', which it names, is not in the bundle.`,
  ],
  [
    /THESE PACKAGES DO NOT MATCH THE HASHES/,
    () => 'a package does not match the hash that the lock file gives.',
  ],
  [
    /In --require-hashes mode, all requirements must have/,
    () => 'some packages have hashes and others have none: give all of them, or none.',
  ],
  [
    /(Cannot install .+ because these package versions have conflicting dependencies)/,
    ([, what], lines) =>
      `${what} (${firstMatch(lines, /^\s+(\S+ \S+ depends on .+)/)?.[1] ?? 'pip names them'}).`,
  ],
  [
    /No matching distribution found for (.+)/,
    ([, what = ''], lines) =>
      lines.some((line) => line.includes('require a different python version'))
        ? `no version of '${what.trim()}' fits the Python of this platform.`
        : `the package index has no '${what.trim()}' for this Python.`,
  ],
  [
    /did not run successfully|Failed to build|Failed building wheel|error: command .* failed/,
    (_, lines) => notBuilt(lines),
  ],
  [/No space left on device/, () => 'the disk is full.'],
]

function pipReason(lines: string[]): string | undefined {
  for (const [pattern, word] of PIP_REASONS) {
    const found = firstMatch(lines, pattern)
    if (found) return word([...found], lines)
  }
  return firstMatch(lines, /^ERROR: (.+)/)?.[1]
}

/** pip builds one package at a time: the last one that it collected before the failure, or the one it names. */
function notBuilt(lines: string[]): string {
  const named = firstMatch(
    lines,
    /Failed (?:building wheel for|to build(?: installable wheels for some [^(]*\()?) ?([A-Za-z0-9][A-Za-z0-9._-]*)/,
  )?.[1]
  const until = lines.findIndex((line) => line.includes('did not run successfully'))
  const collected = lines
    .slice(0, until === -1 ? undefined : until)
    .map((line) => /^\s*Collecting (.+)$/.exec(line)?.[1])
  const missing = firstMatch(
    lines,
    /fatal error: \S+: No such file.*|error: command '[^']+' failed.*|(?:Exception|Error): .+|\S+: not found$/,
  )
  return `the package '${named ?? collected.findLast(Boolean) ?? 'of an unknown name'}' has to be built here, and that failed: ${missing?.[0].replace(/\.$/, '') ?? 'see the output'}.`
}

const NPM_REASONS: Record<string, Words> = {
  E404: (_, lines) =>
    `the registry has no package '${firstMatch(lines, /'([^']+)' (?:could not be found|is not in)/)?.[1] ?? 'of that name'}'.`,
  ETARGET: (_, lines) =>
    `the registry has no '${firstMatch(lines, /No matching version found for (\S+?)\.?$/)?.[1] ?? 'such version'}'.`,
  EUSAGE: () => 'package-lock.json does not fit package.json: run npm install and pack both again.',
  ERESOLVE: () => 'package versions conflict with each other (npm names them).',
  EINTEGRITY: () => 'a package does not match the hash in package-lock.json.',
  E401: () => 'the npm registry refuses the credentials of your npm configuration.',
  E403: () => 'the npm registry refuses the credentials of your npm configuration.',
}
const NPM_UNREACHABLE = ['ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT', 'ECONNREFUSED', 'ENETUNREACH', 'ECONNRESET']

function npmReason(lines: string[]): string | undefined {
  const late = firstMatch(lines, /^\[ended after (\d+) seconds\]/)?.[1]
  if (late) return `it took longer than ${late} seconds.`
  const code = firstMatch(lines, /npm (?:error|ERR!) code (\S+)/)?.[1] ?? ''
  const word = NPM_REASONS[code]
  if (word) return word([], lines)
  if (NPM_UNREACHABLE.includes(code)) {
    return 'the npm registry cannot be reached from the build sandbox (network, proxy or npm configuration).'
  }
  const script = firstMatch(lines, /npm (?:error|ERR!) command sh -c (.+)/)?.[1]
  const why = firstMatch(lines, /^(?:sh: \d+: (.+: not found)|(.*\berror TS\d+: .+)|((?:\w+)?Error: .+))$/)
  if (script) return `the script '${script}' failed${why ? `: ${why.slice(1).find(Boolean)}` : ''}.`
  return firstMatch(lines, /npm (?:error|ERR!) (?!code)(.+)/)?.[1]
}
