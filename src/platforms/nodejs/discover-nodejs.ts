// How a Node.js folder is started.
import type { Folder, Found } from '../discover.ts'
import { parseProcfile } from '../procfile.ts'
import { readPackageJson } from './package-json.ts'

export function discoverNodejs({ paths, read }: Folder): Found {
  const text = read('package.json')
  const file = ['app.js', 'server.js', 'index.js'].find((path) => paths.includes(path))
  if (text === undefined && !file) return undefined
  const found = (note: string): Found => ({ settings: [], notes: [`Node.js: ${note}.`] })
  const procfile = read('Procfile')
  if (procfile !== undefined) {
    const parsed = parseProcfile(procfile)
    return parsed.kind === 'problem'
      ? { problem: parsed.problem }
      : found(`the Procfile says how to start it (${parsed.processes[0]?.command ?? ''})`)
  }
  const parsedJson = text === undefined ? undefined : readPackageJson(text)
  if (parsedJson?.kind === 'problem') return { problem: parsedJson.problem }
  const start = parsedJson?.package.scripts['start']
  if (start !== undefined) return found(`package.json starts it with ${start}`)
  if (file) return found(`it is started with node ${file}`)
  return {
    problem:
      "package.json has no 'start' script, and there is neither app.js nor server.js: say how to start it in one of them or in a Procfile.",
  }
}
