// Where a Python folder keeps its WSGI callable, by text search: nothing of it is run.
import type { Folder, Found, Setting } from '../discover.ts'
import { parseProcfile } from '../procfile.ts'

const MARKERS = ['requirements.txt', 'Pipfile', 'Pipfile.lock', 'manage.py']

export function discoverPython(folder: Folder): Found {
  const { paths } = folder
  const isPython = MARKERS.some((path) => paths.includes(path)) || startsPython(folder)
  const hasModules = paths.some((path) => path.endsWith('.py') && !path.includes('/'))
  if (!isPython && (!hasModules || paths.includes('package.json'))) return undefined
  const language = languageOf(folder)
  const found = (settings: Setting[], note: string): Found => ({
    settings,
    notes: [note],
    ...(language ? { language } : {}),
  })

  const procfile = folder.read('Procfile')
  if (procfile !== undefined) {
    const parsed = parseProcfile(procfile)
    if (parsed.kind === 'problem') return { problem: parsed.problem }
    return found([], `Python: the Procfile says how to start it (${parsed.processes[0]?.command ?? ''}).`)
  }
  const callable = djangoCallable(folder) ?? plainCallable(folder)
  if (!callable) return { problem: NO_CALLABLE }
  const { target, why } = callable
  // The default of AWS needs no setting.
  if (target === 'application:application') return found([], `Python: ${why}.`)
  return found(
    [{ Namespace: 'aws:elasticbeanstalk:container:python', OptionName: 'WSGIPath', Value: target }],
    `Python: ${why}, so WSGIPath is ${target}.`,
  )
}

const NO_CALLABLE =
  'This folder looks like Python, but no WSGI application was found: none of application.py, app.py, wsgi.py, main.py and the ' +
  'like creates one (such as app = Flask(__name__)). Name it with WSGIPath, or say how to start it in a Procfile.'

const startsPython = ({ read }: Folder) =>
  /\b(gunicorn|python3?|uvicorn|waitress-serve|uwsgi|flask)\b/.test(read('Procfile') ?? '')

type Callable = { target: string; why: string }

// Django names its callable in settings; wsgi.py beside it is what startproject makes.
function djangoCallable({ paths, read }: Folder): Callable | undefined {
  if (!paths.includes('manage.py')) return undefined
  const project = /['"]DJANGO_SETTINGS_MODULE['"]\s*,\s*['"](\w+)\./.exec(read('manage.py') ?? '')?.[1]
  const wsgi =
    paths.find((path) => path === `${project}/wsgi.py`) ?? paths.find((path) => /^\w+\/wsgi\.py$/.test(path))
  if (!wsgi) return undefined
  return {
    target: `${wsgi.slice(0, -'/wsgi.py'.length)}.wsgi:application`,
    why: `a Django project with ${wsgi}`,
  }
}

const LIKELY = ['application.py', 'app.py', 'wsgi.py', 'main.py', 'server.py', 'run.py', 'index.py']
const FRAMEWORKS =
  '(?:\\w+\\.)?(?:Flask|APIFlask|Bottle|Falcon|Sanic|App|API|WSGIApplication|get_wsgi_application|default_app|make_wsgi_app)'

function plainCallable({ paths, read }: Folder): Callable | undefined {
  const top = paths.filter((path) => path.endsWith('.py') && !path.includes('/'))
  const packages = paths.filter((path) => /^\w+\/(__init__|wsgi|app|main)\.py$/.test(path))
  const order = [
    ...LIKELY.filter((path) => top.includes(path)),
    ...top.filter((path) => !LIKELY.includes(path)),
    ...packages,
  ]
  const texts = order.map((path) => ({ path, text: read(path) ?? '' }))
  for (const search of [madeHere, imported, factory]) {
    for (const { path, text } of texts) {
      const found = search(text, path)
      if (found) return { target: `${moduleOf(path)}:${found.callable}`, why: `${path} ${found.why}` }
    }
  }
  return undefined
}

const moduleOf = (path: string) =>
  path
    .replace(/\.py$/, '')
    .replace(/\/__init__$/, '')
    .replaceAll('/', '.')

// `application` before `app`: it is what AWS takes by default, and often a wrapped `app`.
const NAMES = ['application', 'app']

function madeHere(text: string): { callable: string; why: string } | undefined {
  const made = [...text.matchAll(new RegExp(`^(\\w+)\\s*(?::[^=\\n]+)?=\\s*${FRAMEWORKS}\\(`, 'gm'))].flatMap(
    (match) => match[1] ?? [],
  )
  const factories = [...text.matchAll(/^(\w+)\s*=\s*(?:create|make|build)_?app\(/gm)].flatMap(
    (match) => match[1] ?? [],
  )
  const plain = NAMES.filter((name) =>
    new RegExp(`^(?:${name}\\s*=|def ${name}\\(\\w+,\\s*start_response\\))`, 'm').test(text),
  )
  const all = [
    ...made,
    ...factories,
    ...(made.length + factories.length > 0
      ? plain
      : plain.filter((name) => new RegExp(`^def ${name}\\(`, 'm').test(text))),
  ]
  const callable = NAMES.find((name) => all.includes(name)) ?? all[0]
  return callable ? { callable, why: `creates the application '${callable}'` } : undefined
}

// wsgi.py that says `from shop import app as application`.
function imported(text: string, path: string): { callable: string; why: string } | undefined {
  if (!LIKELY.includes(path)) return undefined
  const line = /^from\s+[\w.]+\s+import\s+(.+)$/gm
  for (const match of text.matchAll(line)) {
    const names = (match[1] ?? '')
      .replace(/[()]/g, '')
      .split(',')
      .map(
        (name) =>
          name
            .trim()
            .split(/\s+as\s+/)
            .at(-1) ?? '',
      )
    const callable = NAMES.find((name) => names.includes(name))
    if (callable) return { callable, why: `imports the application '${callable}'` }
  }
  return undefined
}

// gunicorn calls it: `app:create_app()`. Only one that needs no arguments can be called so.
function factory(text: string): { callable: string; why: string } | undefined {
  for (const [, name, parameters = ''] of text.matchAll(/^def\s+((?:create|make|build)_?app)\(([^)]*)\)/gm)) {
    const required = parameters
      .split(',')
      .some((each) => each.trim() !== '' && !each.includes('=') && !each.trim().startsWith('*'))
    if (!required) return { callable: `${name}()`, why: `has the factory ${name}` }
  }
  return undefined
}

function languageOf({ read }: Folder): string | undefined {
  const hints = [
    read('.python-version') ?? '',
    read('runtime.txt')?.replace(/^python-/, '') ?? '',
    /python_version\s*=\s*"([^"]+)"/.exec(read('Pipfile') ?? '')?.[1] ?? '',
  ]
  return hints.map((hint) => /^\s*(3\.\d+)/.exec(hint)?.[1]).find((hint) => hint !== undefined)
}
