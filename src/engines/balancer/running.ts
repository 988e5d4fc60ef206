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

/** `show stat`, of those proxies. */
export function parseStatistics(
  text: string,
  isWanted: (proxy: string) => boolean = () => true,
): Statistics[] {
  const [header = '', ...lines] = text.replace(/^# /, '').split('\n')
  const columns = new Map(header.split(',').map((name, index) => [name, index]))
  return lines
    .filter((line) => line !== '' && isWanted(line.slice(0, line.indexOf(','))))
    .map((line) => {
      // A row has a hundred fields, of which a look needs ten; there may be thousands of rows.
      const values = splitCsv(line)
      const get = (name: string) => values[columns.get(name) ?? -1]
      return { proxy: get('pxname') ?? '', name: get('svname') ?? '', fields: { get } }
    })
}

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
