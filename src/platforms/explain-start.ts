// What assets/await-start.py saw when an application did not start, as the sentence of an event.
import { withoutCredentials, type Explanation } from './explain-build.ts'

const LINES_MAX = 50

export function explainStart(output: string): Explanation {
  const all = withoutCredentials(output)
    .split('\n')
    .map((line) => line.trimEnd())
  const facts = Object.fromEntries(all.flatMap((line) => factOf(line)))
  const lines = all.filter((line) => line !== '' && factOf(line).length === 0)
  return { sentence: sentenceOf(facts, lines), lines: lines.slice(-LINES_MAX) }
}

const factOf = (line: string): [string, string][] => {
  const [, key, value] = /^\[await-start\] (\w+)=(.*)$/.exec(line) ?? []
  return key && value !== undefined ? [[key, value]] : []
}

function sentenceOf(facts: Record<string, string>, lines: string[]): string {
  const { outcome, process = 'web', port = '', listening = '', seconds = '' } = facts
  const cause = causeOf(lines)
  if (outcome === undefined)
    return `The application did not start: ${cause ?? lines.at(-1) ?? 'its start check ended without a word'}`
  if (outcome === 'died') {
    return `The application did not start: the process '${process}' ended again and again${cause ? `. ${cause}` : '.'}`
  }
  const expected = `The platform expects it on port ${port} (environment variable PORT).`
  if (outcome === 'elsewhere' || (outcome === 'refused' && listening !== '')) {
    return `The application listens on port ${listening}, not on port ${port}. ${expected}`
  }
  if (outcome === 'refused')
    return `Nothing listens on port ${port} after ${seconds} seconds. ${cause ?? expected}`
  if (outcome === 'no-http') return `What listens on port ${port} does not speak HTTP.`
  return `The application accepts connections on port ${port} but gave no answer within ${seconds} seconds. ${cause ?? ''}`.trim()
}

// The last error wins: earlier ones are often the same start, tried before.
function causeOf(lines: string[]): string | undefined {
  for (const line of lines.toReversed()) {
    for (const [pattern, word] of CAUSES) {
      const found = pattern.exec(line)
      if (found) return word([...found], lines)
    }
  }
  return undefined
}

type Words = (found: string[], lines: string[]) => string

const CAUSES: [RegExp, Words][] = [
  [
    /^(?:ModuleNotFoundError|ImportError): No module named '?([\w.]+)'?/,
    ([, name = ''], lines) => missingModule(name, lines),
  ],
  [
    /^ImportError: cannot import name '([^']+)' from '([^']+)'/,
    ([, name, module], lines) => `'${name}' cannot be imported from '${module}'${at(lines)}.`,
  ],
  [/^((?:SyntaxError|IndentationError|TabError): .+)/, ([, what], lines) => `${what}${at(lines)}.`],
  [
    /Failed to find (?:attribute|application object) '([^']+)' in '([^']+)'/,
    ([, name, module]) =>
      `The module '${module}' has nothing named '${name}': WSGIPath must name the WSGI callable, such as ${module}:app.`,
  ],
  [
    /^KeyError: '([^']+)'/,
    ([, name = ''], lines) =>
      lines.some((line) => /environ/.test(line)) || /^[A-Z][A-Z0-9_]*$/.test(name)
        ? `The environment property ${name} is not set${at(lines)}: set it with setenv ${name}=….`
        : `KeyError: '${name}'${at(lines)}.`,
  ],
  [
    /Error: listen EADDRINUSE: address already in use (\S+)|Address already in use|Connection in use: \('[^']*', (\d+)\)/,
    () => 'The port that the application wants is already in use inside the instance: listen on $PORT.',
  ],
  [
    /Error: Cannot find module '([^']+)'/,
    ([, name = '']) =>
      name.startsWith('/')
        ? `The file ${name} is not in the bundle.`
        : `The package '${name}' is not installed: add it to package.json.`,
  ],
  [
    /(?:^|: )(?:exec: )?(\S+): (?:command )?not found$/,
    ([, name = '']) => `The program '${name.replace(/:$/, '')}' does not exist on the instance.`,
  ],
  [/npm (?:error|ERR!) Missing script: "([^"]+)"/, ([, name]) => `package.json has no script '${name}'.`],
  [
    /MemoryError|Cannot allocate memory|JavaScript heap out of memory|Worker .* was sent SIGKILL! Perhaps out of memory/,
    () => 'The instance ran out of memory: choose a larger instance type.',
  ],
  [/by signal 9$/, () => 'It was killed, most likely for want of memory: choose a larger instance type.'],
  [
    /^((?:[A-Z]\w*\.)*[A-Z]\w*(?:Error|Exception|ImproperlyConfigured)(?:: .+)?)$/,
    ([, what], lines) => `${what}${at(lines)}.`,
  ],
]

/** gunicorn's own report of a module that it was told to load names that module; any other is a package not installed. */
function missingModule(name: string, lines: string[]): string {
  const wanted = lines.some((line) => line.includes('import_app') || line.includes('load_wsgiapp'))
  const inApp = lines.some((line) => /File "\/var\/app\/current\//.test(line))
  if (wanted && !inApp) {
    return `WSGIPath names the module '${name}', which is not in the bundle (WSGIPath is 'application' unless set, for instance to app:app).`
  }
  return `The module '${name}' is not installed${at(lines)}: add its package to requirements.txt.`
}

/** Where in the application the last traceback points, ` at app.py:3`. */
function at(lines: string[]): string {
  const own = lines.findLast((line) => /File "\/var\/app\/current\/[^"]+", line \d+/.test(line))
  const [, path, number] = /File "\/var\/app\/current\/([^"]+)", line (\d+)/.exec(own ?? '') ?? []
  if (path) return ` (${path}:${number})`
  const [, script, row] =
    /^\/var\/app\/current\/(\S+?):(\d+)$/.exec(
      lines.findLast((line) => /^\/var\/app\/current\/\S+:\d+$/.test(line)) ?? '',
    ) ?? []
  return script ? ` (${script}:${row})` : ''
}
