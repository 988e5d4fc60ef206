// What a failed build said, as the sentence of an event: which package or line, why, and the end of the output.

export type Explanation = {
  /** One sentence for an ERROR event. */
  sentence: string
  /** The last lines of the output (50 at most), without credentials. */
  lines: string[]
}

const LINES_MAX = 50

/** `key` is the key of the layer: its prefix says which build it was. */
export function explainBuild(key: string, output: string): Explanation {
  const lines = withoutCredentials(output)
    .split(/\r?\n|\r/)
    .map((line) => line.trimEnd())
    .filter(Boolean)
  const kind = key.startsWith('bundle-') ? 'bundle' : key.startsWith('python-') ? 'python' : 'nodejs'
  return { sentence: sentenceOf(kind, lines), lines: lines.slice(-LINES_MAX) }
}

/** Index URLs of pip and npm may hold a password. */
export const withoutCredentials = (text: string) => text.replace(/(https?:\/\/)[^\s/@]+@/g, '$1****@')

function sentenceOf(kind: 'bundle' | 'python' | 'nodejs', lines: string[]): string {
  const last = lines.at(-1) ?? 'no output'
  if (kind === 'bundle') return `The source bundle could not be unpacked: ${last}`
  if (kind === 'nodejs') return `Failed to install dependencies with npm: ${npmReason(lines) ?? last}`
  const reason = pipReason(lines) ?? last
  // AWS: "fail to install dependencies with requirements.txt file with error …", developer guide, troubleshooting.
  return `fail to install dependencies with requirements.txt file with error: ${reason}`
}

const firstMatch = (lines: string[], pattern: RegExp) =>
  lines.map((line) => pattern.exec(line)).find((match) => match !== null)

const PIP_REASONS: [RegExp, (found: string[]) => string][] = [
  [
    /Temporary failure in name resolution|Name or service not known|NewConnectionError|Network is unreachable|ConnectTimeoutError/,
    () => 'the package index cannot be reached from the build sandbox (network, proxy or pip configuration).',
  ],
  [
    /CERTIFICATE_VERIFY_FAILED/,
    () => "the package index's certificate is not trusted: set pip's 'cert' to your CA file.",
  ],
  [
    /401 Error|403 Client Error|401 Client Error/,
    () => 'the package index refuses the credentials of your pip configuration.',
  ],
  [
    /Ignored the following versions that require a different python version: (.*)/,
    ([, what = '']) => `no version fits this Python (${what.trim().slice(0, 200)}).`,
  ],
  [
    /No matching distribution found for (.+)/,
    ([, what = '']) => `there is no package '${what.trim()}' in the package index for this Python.`,
  ],
  [
    /Invalid requirement: (.+)/,
    ([, what = '']) => `line ${what.trim()} is not a requirement that pip understands.`,
  ],
  [
    /Could not open requirements file: .*'([^']+)'/,
    ([, what = '']) => `the file '${what}' that it names is not in the bundle.`,
  ],
  [
    /(Cannot install .+ because these package versions have conflicting dependencies)/,
    ([, what = '']) => `${what}.`,
  ],
  [
    /THESE PACKAGES DO NOT MATCH THE HASHES/,
    () => 'a package does not match the hash that the lock file gives.',
  ],
  [
    /Failed to build (?:installable wheels for some pyproject\.toml based projects \()?([A-Za-z0-9._-]+)/,
    ([, what = '']) =>
      `the package '${what}' has to be compiled here, and that failed (a compiler or a system library is missing).`,
  ],
  [/No space left on device/, () => 'the disk is full.'],
]

function pipReason(lines: string[]): string | undefined {
  const compiler = firstMatch(lines, /(?:error: command '([^']+)' failed|fatal error: ([^:]+): No such file)/)
  const requirement = firstMatch(lines, /\(from (-r .*?\(line \d+\))\)/)?.[1]
  for (const [pattern, word] of PIP_REASONS) {
    const found = firstMatch(lines, pattern)
    if (!found) continue
    const where = requirement ? ` [${requirement.replace(/-r \S*\/([^/\s]+)/, '$1')}]` : ''
    return word([...found]) + (compiler ? ` ${compiler[0]}.` : '') + where
  }
  return firstMatch(lines, /^ERROR: (.+)/)?.[1]
}

function npmReason(lines: string[]): string | undefined {
  const code = firstMatch(lines, /npm (?:error|ERR!) code (\S+)/)?.[1]
  const missing = firstMatch(
    lines,
    /'([^']+)' is not in this registry|No matching version found for (\S+?)\.?$|404 Not Found - GET (\S+)/,
  )
  if (code === 'E404' || code === 'ETARGET') {
    return `there is no package '${missing?.slice(1).find(Boolean) ?? 'of that name'}' in the registry.`
  }
  if (code === 'EUSAGE')
    return 'package-lock.json does not fit package.json: run npm install and pack both again.'
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN' || code === 'ETIMEDOUT' || code === 'ECONNREFUSED') {
    return 'the npm registry cannot be reached from the build sandbox (network, proxy or npm configuration).'
  }
  if (code === 'E401' || code === 'E403')
    return 'the npm registry refuses the credentials of your npm configuration.'
  const script = firstMatch(lines, /npm (?:error|ERR!) command (?:failed|sh -c (.+))/)?.[1]
  if (script) return `the script '${script}' failed.`
  const said = firstMatch(lines, /npm (?:error|ERR!) (?!code)(.+)/)?.[1]
  return said ? `${code ? `${code}: ` : ''}${said}` : undefined
}
