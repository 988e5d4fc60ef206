// Our sources as JavaScript: types are replaced by blanks, so lines and columns of a stack trace are those of the source,
// and what imports a `.ts` imports the `.js` beside it.
import { readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { dirname, join, normalize } from 'node:path'

/** What a module loads: imports (also type-only ones until stripped), and programs that it starts (`new URL`). */
const REFERENCE = /(\bfrom |\bimport |\bimport\(|\bnew URL\()'([^']+)\.ts'/g

/** JavaScript and the sources it refers to. Throws when a `.ts` would be left in it, but for comments: nothing of that name
 *  will be there. */
export function stripModule(path: string, source: string): { code: string; references: string[] } {
  const stripped = stripTypeScriptTypes(source)
  const references = [...stripped.matchAll(REFERENCE)].map(([, , target]) =>
    normalize(join(dirname(path), `${target}.ts`)),
  )
  const code = stripped.replaceAll(REFERENCE, "$1'$2.js'")
  const spoken = code.replaceAll(/^\s*(?:\/\/|\/?\*).*$/gm, '')
  const [left] = /['"`][^'"`\s]*\.ts['"`]/.exec(spoken) ?? []
  if (left !== undefined)
    throw new Error(`${path} names a source in a way that a release cannot follow: ${left}`)
  return { code, references }
}

/** Every module that `entries` need, below `root`: path with `.ts` → JavaScript. */
export function stripModules(root: string, entries: string[]): Map<string, string> {
  const done = new Map<string, string>()
  const open = [...entries]
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (done.has(path)) continue
    const { code, references } = stripModule(path, readFileSync(join(root, path), 'utf8'))
    done.set(path, code)
    open.push(...references)
  }
  return done
}
