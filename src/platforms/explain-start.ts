// What assets/await-start.py saw when an application did not start, as the sentence of an event.
import { withoutCredentials, type Explanation } from './explain-build.ts'

/** The 50 last lines of the log, and the line that says which log it is. */
const LINES_MAX = 51

export function explainStart(output: string): Explanation {
  const all = withoutCredentials(output)
    .split('\n')
    .map((line) => line.trimEnd())
  const facts = Object.fromEntries(all.flatMap((line) => factOf(line)))
  const lines = all.filter((line) => line !== '' && factOf(line).length === 0)
  return {
    sentence: sentenceOf(facts, lines),
    command: facts['command'] ?? '',
    lines: lines.slice(-LINES_MAX),
  }
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
  const last = lines.findLast((line) => !/^(\[polebean\]|Last lines of |\(there is no )/.test(line)) ?? 'none'
  if (outcome === 'died')
    return `The application did not start: the process '${process}' ended again and again. ${cause ?? `Its last words: ${last}`}`
  if (outcome === 'proxy')
    return `The application started, but nginx does not listen on port ${port} after ${seconds} seconds. Its last words: ${last}`
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
  for (let index = lines.length - 1; index >= 0; index--) {
    for (const [pattern, word] of CAUSES) {
      const found = pattern.exec(lines[index] ?? '')
      if (found) return word([...found], { lines, index })
    }
  }
  return undefined
}

type Place = { lines: string[]; index: number }
type Words = (found: string[], place: Place) => string

const OUT_OF_MEMORY = 'The instance ran out of memory: choose a larger instance type.'

const CAUSES: [RegExp, Words][] = [
  [
    /^(?:ModuleNotFoundError|ImportError): No module named '?([\w.]+)'?/,
    ([, name = ''], place) => missingModule(name, place),
  ],
  [/^((?:SyntaxError|IndentationError|TabError): .+)/, ([, what], place) => `${what}${at(place)}.`],
  [
    /Failed to find (?:attribute|application object) '([^']+)' in '([^']+)'/,
    ([, name, module]) =>
      `The module '${module}' has nothing named '${name}': WSGIPath must name the WSGI callable, for instance ${module}:app.`,
  ],
  [
    /^KeyError: '([^']+)'/,
    ([, name = ''], place) =>
      /^[A-Z][A-Z0-9_]*$/.test(name) && place.lines.slice(0, place.index).some((line) => /environ/.test(line))
        ? `The environment property ${name} is not set${at(place)}.`
        : `KeyError: '${name}'${at(place)}.`,
  ],
  [
    /EADDRINUSE: address already in use|Address already in use|Connection in use:/,
    () =>
      'The port that the application wants is already in use inside the instance: it must listen on $PORT.',
  ],
  [
    /EACCES: permission denied(.*)/,
    ([, what = '']) => `Permission denied${what}: the application runs as the user webapp.`,
  ],
  [
    /^Error: Cannot find module '([^']+)'/,
    ([, name = ''], place) =>
      name.startsWith('/') || name.startsWith('.')
        ? `The file ${name} is not in the bundle.`
        : `The package '${name}' is not installed${at(place)}: add it to package.json.`,
  ],
  [
    /sh: \d+: (?:exec: )?(\S+): (?:not found|Permission denied)$/,
    ([, name]) => `The program '${name}' does not exist on the instance.`,
  ],
  [/npm (?:error|ERR!) Missing script: "([^"]+)"/, ([, name]) => `package.json has no script '${name}'.`],
  [
    /^MemoryError|Cannot allocate memory|JavaScript heap out of memory|was sent SIGKILL! Perhaps out of memory/,
    () => OUT_OF_MEMORY,
  ],
  [/^\[polebean\] the process '[^']+' ended by signal 9$/, () => `It was killed. ${OUT_OF_MEMORY}`],
  [
    /^((?:[A-Za-z_]\w*\.)*\w*(?:Error|Exception|ImproperlyConfigured)(?: \[\w+\])?(?:: .*)?)$/,
    ([, what = ''], place) => `${what.slice(0, 300).replace(/\.$/, '')}${at(place)}.`,
  ],
]

/** gunicorn's own report of a module that it was told to load has no frame of the application in it. */
function missingModule(name: string, place: Place): string {
  const traceback = place.lines.slice(tracebackStart(place), place.index)
  const asked = traceback.some((line) => /\b(import_app|load_wsgiapp)\b/.test(line))
  if (asked && !traceback.some((line) => OWN_FRAME.test(line))) {
    return `WSGIPath names the module '${name}', which is not in the bundle (unless set, WSGIPath is 'application').`
  }
  return `The module '${name}' is not installed${at(place)}: add its package to requirements.txt.`
}

const OWN_FRAME = /File "\/var\/app\/current\/([^"]+)", line (\d+)/
const OWN_NODE_FRAME = /(?:\(|at |^)(?:file:\/\/)?\/var\/app\/current\/([^:\s)]+):(\d+)/
const TRACE_LINES_MAX = 40

const tracebackStart = ({ lines, index }: Place) => {
  const start = lines.findLastIndex((line, each) => each < index && line.startsWith('Traceback '))
  return start === -1 ? Math.max(0, index - TRACE_LINES_MAX) : start
}

/** Where in the application it happened, ` (app.py:3)`: Python's last frame above the error, Node's first below it. */
function at(place: Place): string {
  const { lines, index } = place
  const above = lines.slice(tracebackStart(place), index)
  const own = above.findLast((line) => OWN_FRAME.test(line) && !line.includes('/node_modules/'))
  const below = lines
    .slice(index, index + TRACE_LINES_MAX)
    .find((line) => OWN_NODE_FRAME.test(line) && !line.includes('/node_modules/'))
  const header = above.findLast((line) => /^(?:file:\/\/)?\/var\/app\/current\/\S+:\d+$/.test(line))
  const [, path, line] = OWN_FRAME.exec(own ?? '') ?? OWN_NODE_FRAME.exec(header ?? below ?? '') ?? []
  return path ? ` (${path}:${line})` : ''
}
