// Finds out what a folder holds and how Elastic Beanstalk must be told to run it: which platform, which WSGIPath, and
// why, in sentences for the user. For `polebean up`; the API itself guesses nothing.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { readFileIfAny } from '../kernel/files.ts'
import { makeCatalogue, type Stack } from './catalogue.ts'
import { discoverNodejs } from './nodejs/discover-nodejs.ts'
import { probeRuntimes } from './probe.ts'
import { discoverPython } from './python/discover-python.ts'

export type Setting = { Namespace: string; OptionName: string; Value: string }

export type Discovery =
  | {
      kind: 'found'
      /** The solution stack to create the environment with, e.g. `64bit Amazon Linux 2023 v4.6.0 running Python 3.11`. */
      platform: string
      settings: Setting[]
      /** What was found and why, a sentence each. */
      notes: string[]
    }
  | { kind: 'problem'; message: string }

export type Folder = {
  /** Paths of files and folders (with `/` at the end), two levels deep, sorted. */
  paths: string[]
  /** A small text file; undefined when it is not there. */
  read: (path: string) => string | undefined
}

/** What a platform makes of a folder; undefined when the folder is not one of its own. */
export type Found =
  | { settings: Setting[]; notes: string[]; language?: string }
  | { problem: string }
  | undefined

export async function discover(dir: string): Promise<Discovery> {
  // The command line runs on the same Node.js that the server gives to instances.
  const { stacks } = makeCatalogue(await probeRuntimes(process.execPath))
  return discoverIn(readFolder(dir), stacks)
}

export function discoverIn(folder: Folder, stacks: Stack[]): Discovery {
  const python = discoverPython(folder)
  const nodejs = discoverNodejs(folder)
  // Many Python applications carry a package.json for their style sheets; few Node.js ones a requirements.txt.
  const [family, found] = python ? (['python', python] as const) : (['nodejs', nodejs] as const)
  if (!found) return { kind: 'problem', message: NOTHING }
  if ('problem' in found) return { kind: 'problem', message: found.problem }
  const candidates = stacks.filter((stack) => stack.runtime.family === family)
  const stack = candidates.find((each) => each.runtime.language === found.language) ?? candidates[0]
  if (!stack) return { kind: 'problem', message: family === 'python' ? NO_PYTHON : NO_NODE }
  return { kind: 'found', platform: stack.solutionStackName, settings: found.settings, notes: found.notes }
}

const NOTHING =
  'This folder holds no application that Polebean can run: it has neither Python files with a requirements.txt, Pipfile or ' +
  'Procfile, nor a package.json, app.js or server.js.'
const NO_PYTHON = 'No Python was found in /usr/bin. Add it with: sudo apt-get install python3 python3-venv'
const NO_NODE = 'No Node.js was found for the instances.'

const SKIPPED = new Set([
  'node_modules',
  '__pycache__',
  'venv',
  'env',
  'site-packages',
  'tests',
  'test',
  'migrations',
])
const FOLDERS_MAX = 200
const TEXT_BYTES_MAX = 256 << 10

function readFolder(dir: string): Folder {
  const top = list(dir, '')
  const folders = top.filter(
    (path) => path.endsWith('/') && !path.startsWith('.') && !SKIPPED.has(path.slice(0, -1)),
  )
  const inner = folders.slice(0, FOLDERS_MAX).map((folder) => list(dir, folder))
  return {
    paths: [...top, ...inner.flat()].sort(),
    read: (path) => ifReadable(() => readFileIfAny(join(dir, path)))?.slice(0, TEXT_BYTES_MAX),
  }
}

// What may not be read may be what an .ebignore leaves out; if not, packing says so.
function ifReadable<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EACCES') return undefined
    throw error
  }
}

function list(dir: string, folder: string): string[] {
  const entries = ifReadable(() => readdirSync(join(dir, folder), { withFileTypes: true })) ?? []
  return entries.map((entry) => folder + entry.name + (entry.isDirectory() ? '/' : ''))
}
