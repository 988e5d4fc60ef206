// What of a requirements.txt decides how and under which key it is installed. pip itself reads the rest.
// Format: https://pip.pypa.io/en/stable/reference/requirements-file-format/

export type Requirements = {
  /** Names of the projects asked for, normalised (PEP 503); those behind `-r` are not known. */
  names: string[]
  /** The result depends on more than this text: a path, a URL, `-r`, `-c` or `-e`. */
  readsBundle: boolean
}

export function readRequirements(text: string): Requirements {
  const lines = text
    .replace(/\\\r?\n/g, '')
    .split(/\r?\n/)
    .map((line) => line.replace(/(^|\s)#.*$/, '').trim())
    .filter((line) => line !== '')
  return { names: lines.flatMap(nameOf), readsBundle: lines.some(readsMore) }
}

const normalise = (name: string) => name.toLowerCase().replace(/[-_.]+/g, '-')

function nameOf(line: string): string[] {
  const name = /^([A-Za-z0-9][A-Za-z0-9._-]*)\s*(\[[^\]]*\])?\s*([<>=!~;@].*)?$/.exec(line)?.[1]
  return name ? [normalise(name)] : []
}

// Options of the index (`--index-url`, `--hash`, …) are text like any other; whatever names a file or a place is not.
function readsMore(line: string): boolean {
  if (/^(-r|-c|-e|--requirement|--constraint|--editable|-f|--find-links)\b/.test(line)) return true
  if (line.startsWith('-')) return /\$\{/.test(line) || /file:/.test(line)
  return nameOf(line).length === 0 || /@|\$\{/.test(line)
}
