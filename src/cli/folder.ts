// Which files of a folder are its application. `.ebignore` is one file at the top; without it the `.gitignore` of every
// folder holds, as in git. What NEVER names does not go whatever those files say.
import { closeSync, existsSync, lstatSync, openSync, readdirSync, readFileSync, type Dirent } from 'node:fs'
import { join } from 'node:path'
import ignore, { type Ignore } from 'ignore'
import { Failure } from './failure.ts'

const NEVER = [
  '.git',
  '.hg',
  '.svn',
  '.elasticbeanstalk',
  'node_modules',
  '__pycache__',
  '.DS_Store',
  '*.pyc',
  '.tox',
  '.mypy_cache',
  '.pytest_cache',
]

// On Linux git tells Build from build.
const AS_GIT = { ignorecase: false }

/** The rules of a folder and of those around it; the nearest that says something of a path decides. */
type Rules = { under: string; own: Ignore }[]
type Walk = { dir: string; never: Ignore; nested: boolean; found: string[] }

/** Paths of the files that go into the bundle, relative and sorted; each of them can be read, else a Failure. */
export function listFolder(dir: string): string[] {
  const nested = !existsSync(join(dir, '.ebignore'))
  const walk: Walk = { dir, never: ignore(AS_GIT).add(NEVER), nested, found: [] }
  visit(walk, '', nested ? [] : [{ under: '', own: rulesIn(dir, '.ebignore') }])
  return walk.found.sort()
}

function visit(walk: Walk, under: string, around: Rules): void {
  const { dir, never, nested } = walk
  const folder = join(dir, under)
  const hasOwn = nested && existsSync(join(folder, '.gitignore'))
  const rules = hasOwn ? [{ under, own: rulesIn(folder, '.gitignore') }, ...around] : around
  for (const entry of entriesOf(folder, under)) {
    const path = under + entry.name
    const name = entry.isDirectory() ? `${path}/` : path
    if (never.ignores(name) || isIgnored(rules, name)) continue
    if (entry.isDirectory()) {
      if (!isVirtualEnvironment(join(dir, path))) visit(walk, name, rules)
    } else if (entry.isFile() || entry.isSymbolicLink()) {
      checkReadable(join(dir, path), path, entry)
      walk.found.push(path)
    }
  }
}

function isIgnored(rules: Rules, path: string): boolean {
  for (const { under, own } of rules) {
    const { ignored, unignored } = own.test(path.slice(under.length))
    if (ignored || unignored) return ignored
  }
  return false
}

function rulesIn(folder: string, name: string): Ignore {
  try {
    return ignore(AS_GIT).add(readFileSync(join(folder, name), 'utf8').replace(/^\uFEFF/, ''))
  } catch (error) {
    throw new Failure(problemOf(join(folder, name), error))
  }
}

function entriesOf(folder: string, under: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch (error) {
    throw new Failure(problemOf(under || folder, error))
  }
}

function checkReadable(full: string, path: string, entry: Dirent): void {
  try {
    if (entry.isFile()) closeSync(openSync(full, 'r'))
    else lstatSync(full)
  } catch (error) {
    throw new Failure(problemOf(path, error))
  }
}

/** What is wrong with a file or folder, and what to do. */
export function problemOf(path: string, error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  // Node.js puts this character where the bytes of a name are no UTF-8, and cannot name the file then.
  if (code === 'ENOENT' && path.includes('\uFFFD'))
    return `the name of ${path} is not UTF-8; rename it, or leave it out by a pattern in .ebignore`
  if (code === 'EACCES')
    return `${path} cannot be read (permission denied); name it in .ebignore to leave it out`
  return `${path} cannot be packed: ${message}`
}

// PEP 405: a virtual environment is a folder with a pyvenv.cfg.
const isVirtualEnvironment = (dir: string) => existsSync(join(dir, 'pyvenv.cfg'))
