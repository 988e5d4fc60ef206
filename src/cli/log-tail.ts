// What is new in the tail of some logs since the last one. Each log shows its last lines only, so its beginning moves.

/** `now` without the lines that `before` had, log by log; logs without new lines are left out. */
export function newLines(before: string, now: string): string {
  const seen = sectionsOf(before)
  return [...sectionsOf(now)]
    .map(([name, lines]) => ({ name, fresh: linesAfter(seen.get(name) ?? [], lines) }))
    .filter(({ fresh }) => fresh.some((line) => line !== ''))
    .map(({ name, fresh }) => (name === '' ? fresh : [`${name}:`, ...fresh]).join('\n').trimEnd())
    .join('\n')
}

/** The last lines of the logs whose path fits, each line as it was written; empty ones are left out. */
export function lastLines(text: string, path: RegExp, count: number): string[] {
  return [...sectionsOf(text)]
    .filter(([name]) => path.test(name))
    .flatMap(([, lines]) => lines.filter((line) => line !== '').slice(-count))
}

// A title is a line with the path of the log, between two lines of dashes.
function sectionsOf(text: string): Map<string, string[]> {
  const [head = '', ...rest] = text.split(/^-{10,}\n(\/.*)\n-{10,}$\n?/m)
  const sections = new Map<string, string[]>()
  if (head.trim() !== '') sections.set('', head.trimEnd().split('\n'))
  for (let at = 0; at < rest.length; at += 2)
    sections.set(rest[at] ?? '', (rest[at + 1] ?? '').trimEnd().split('\n'))
  return sections
}

/** The longest end of `before` that is the beginning of `now` was seen already. */
function linesAfter(before: string[], now: string[]): string[] {
  for (let from = 0; from < before.length; from++) {
    const overlap = before.slice(from)
    if (overlap.length <= now.length && overlap.every((line, index) => line === now[index]))
      return now.slice(overlap.length)
  }
  return now
}
