// What the runtime API tells, as values (management.txt §9.1 CSV format, `show servers state`, `show info`).

export type RunningServer = {
  backend: string
  name: string
  operation: 'stopped' | 'starting' | 'running' | 'stopping'
  maintenance: boolean
  draining: boolean
  weight: number
  /** Whether a check has come to a result since it was added. */
  checked: boolean
  /** Seconds begun since it last went up or down. */
  sinceSeconds: number
  /** Fields of `show servers state`, in HAProxy's order. */
  state: string[]
}

/** `show servers state`, format 1. */
export function parseServersState(text: string): RunningServer[] {
  const lines = text.split('\n').filter((line) => line !== '' && line !== '1' && !line.startsWith('#'))
  return lines.map((line) => {
    const state = line.split(' ')
    const admin = Number(state[6])
    return {
      backend: state[1] ?? '',
      name: state[3] ?? '',
      operation: (['stopped', 'starting', 'running', 'stopping'] as const)[Number(state[5])] ?? 'stopped',
      maintenance: (admin & MAINTENANCE) !== 0,
      draining: (admin & DRAIN) !== 0,
      weight: Number(state[7]),
      checked: state[11] !== '0',
      sinceSeconds: Number(state[9]),
      state,
    }
  })
}

// SRV_ADMF_*. 0x04 (CMAINT) only remembers that the line says `disabled`; it stays when the server is made ready.
const MAINTENANCE = 0x01 | 0x02 | 0x20
const DRAIN = 0x08 | 0x10

export type Statistics = {
  proxy: string
  name: string
  fields: { get(name: string): string | undefined }
}

/** `show stat`. */
export function parseStatistics(text: string): Statistics[] {
  const [header = '', ...lines] = text.replace(/^# /, '').split('\n')
  const columns = new Map(header.split(',').map((name, index) => [name, index]))
  return lines
    .filter((line) => line !== '')
    .map((line) => {
      // A row has a hundred fields, of which a look needs ten; there may be thousands of rows.
      const values = splitCsv(line)
      const get = (name: string) => values[columns.get(name) ?? -1]
      return { proxy: get('pxname') ?? '', name: get('svname') ?? '', fields: { get } }
    })
}

/** Counters of some rows of a `show stat`: field → count. It is read in one go, since it is asked for every second. */
export function parseCounts<Field extends string>(
  text: string,
  fields: readonly Field[],
  isWanted: (proxy: string) => boolean,
): { proxy: string; name: string; counts: Record<Field, number> }[] {
  const headerEnd = text.indexOf('\n')
  const header = text.slice(0, headerEnd).replace(/^# /, '').split(',')
  const columns = header.map((name) => fields.indexOf(name as Field))
  const last = columns.findLastIndex((field) => field >= 0)
  const nothing = Object.fromEntries(fields.map((field) => [field, 0])) as Record<Field, number>
  const rows: ReturnType<typeof parseCounts<Field>> = []
  for (let at = headerEnd + 1; at > 0 && at < text.length; at = text.indexOf('\n', at) + 1) {
    const proxyEnd = text.indexOf(',', at)
    const proxy = text.slice(at, proxyEnd)
    if (proxyEnd < 0 || !isWanted(proxy)) continue
    const nameEnd = text.indexOf(',', proxyEnd + 1)
    const counts = { ...nothing }
    let isQuoted = false
    for (let column = 2, where = nameEnd + 1, value = 0; column <= last; where++) {
      const code = text.charCodeAt(where)
      if (code === QUOTE) isQuoted = !isQuoted
      else if (code >= ZERO && code <= NINE) value = value * 10 + (code - ZERO)
      else if ((code === COMMA && !isQuoted) || code === LINE_END || Number.isNaN(code)) {
        const field = columns[column]!
        if (field >= 0) counts[fields[field]!] = value
        if (code !== COMMA) break
        value = 0
        column++
      }
    }
    rows.push({ proxy, name: text.slice(proxyEnd + 1, nameEnd), counts })
  }
  return rows
}
const [QUOTE, COMMA, LINE_END, ZERO, NINE] = ['"', ',', '\n', '0', '9'].map((one) => one.charCodeAt(0)) as [
  ...[number, number, number, number, number],
]

/** A counter; 0 when HAProxy leaves it empty. */
export const count = (statistics: Statistics | undefined, field: string): number =>
  Number(statistics?.fields.get(field) || 0)

/** `show info`: name → value. */
export function parseInfo(text: string): Map<string, string> {
  return new Map(
    text.split('\n').flatMap((line) => {
      const colon = line.indexOf(': ')
      return colon < 0 ? [] : [[line.slice(0, colon), line.slice(colon + 2)] as const]
    }),
  )
}

/** `show proc` of the master's socket: the workers of former configurations that still answer somebody. */
export function parseOldWorkers(text: string): number[] {
  const [, old = ''] = text.split(/^# old workers$/m)
  return old
    .split(/^# programs$/m)[0]!
    .split('\n')
    .flatMap((line) => (/^\d+\s+worker\b/.test(line) ? Number.parseInt(line, 10) : []))
}

// RFC 4180: a value with a comma stands in quotes, a quote in it is doubled.
function splitCsv(line: string): string[] {
  if (!line.includes('"')) return line.split(',')
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '',
  )
}
