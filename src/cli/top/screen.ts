// The screen of `polebean top`: a pure function of what was read, of the size of the terminal and of where the reader has scrolled.
import type { Top, TopEnvironment, TopInstance, TopRequests } from '../../services/elasticbeanstalk/top.ts'

export type Size = { columns: number; rows: number }
/** Colours a text by the name of a colour; without colours it answers the text. */
export type Paint = (colour: string, text: string) => string

export type View = {
  size: Size
  paint: Paint
  /** Lines that are out of sight above. */
  scrolled: number
  /** What is said at the right of the first line: when, and how to end. */
  aside: string
  /** Why nothing newer is shown; '' = it is new. */
  trouble: string
}

type Column<Row> = {
  title: string
  /** Those with the highest go first where there is no room. */
  expendable: number
  isRight?: true
  cell(row: Row): string
}

const HEALTH: Column<TopEnvironment | TopInstance> = {
  title: 'HEALTH',
  expendable: 0,
  cell: ({ health, colour }) => health || colour,
}

const figures: Column<TopEnvironment | TopInstance>[] = [
  ofRequests('R/S', 0, (one) => rate(one.perSecond)),
  ofRequests('2XX', 4, (one) => shareOf(one, one.status2xx)),
  ofRequests('3XX', 7, (one) => shareOf(one, one.status3xx)),
  ofRequests('4XX', 2, (one) => shareOf(one, one.status4xx)),
  ofRequests('5XX', 0, (one) => shareOf(one, one.status5xx)),
  ofRequests('P50', 3, ({ p50Ms }) => seconds(p50Ms)),
  ofRequests('P90', 6, ({ p90Ms }) => seconds(p90Ms)),
  ofRequests('P99', 1, ({ p99Ms }) => seconds(p99Ms)),
  { title: 'CPU', expendable: 1, isRight: true, cell: ({ cpuPercent }) => percent(cpuPercent) },
  { title: 'MEM', expendable: 2, isRight: true, cell: ({ memoryBytes }) => size(memoryBytes) },
]

const ofEnvironments: Column<TopEnvironment>[] = [
  { title: 'ENVIRONMENT', expendable: 0, cell: ({ name }) => name },
  HEALTH,
  {
    title: 'INST',
    expendable: 1,
    isRight: true,
    cell: ({ instances: { inService, desired } }) => `${inService}/${desired ?? '-'}`,
  },
  ...figures,
  { title: 'VERSION', expendable: 9, cell: ({ versionLabel }) => versionLabel },
]

const ofInstances: Column<TopInstance>[] = [
  { title: 'INSTANCE', expendable: 0, cell: ({ id }) => id },
  HEALTH,
  ...figures,
  { title: 'MEM%', expendable: 8, isRight: true, cell: ({ memoryPercent }) => percent(memoryPercent) },
  { title: 'LOAD', expendable: 5, isRight: true, cell: ({ load }) => load?.toFixed(2) ?? '-' },
  { title: 'DISK', expendable: 5, isRight: true, cell: ({ diskPercent }) => percent(diskPercent) },
  { title: 'TYPE', expendable: 9, cell: ({ type }) => type },
  { title: 'ZONE', expendable: 10, cell: ({ zone }) => zone },
  { title: 'VERSION', expendable: 9, cell: ({ versionLabel }) => versionLabel },
]

function ofRequests(
  title: string,
  expendable: number,
  cell: (requests: TopRequests) => string,
): Column<TopEnvironment | TopInstance> {
  return { title, expendable, isRight: true, cell: ({ requests }) => (requests ? cell(requests) : '-') }
}

/** At most as many lines as the terminal has, none wider than it. */
export function renderTop(top: Top, view: View): string[] {
  const { size: terminal, paint, aside, trouble, scrolled } = view
  const title =
    top.instances.length > 0 ? 'polebean top' : `polebean top  ${counted(top.environments.length)}`
  const room = Math.max(0, terminal.columns - title.length - 1)
  const first = `${title} ${clip(aside, room).padStart(room)}`.slice(0, terminal.columns).trimEnd()
  const head = [first, ...(trouble === '' ? [] : [paint('Red', clip(trouble, terminal.columns))]), '']
  const body = bodyOf(top, view)
  // One line is kept for what is out of sight.
  const most = terminal.rows - head.length
  const isAll = body.length <= most
  const shown = isAll
    ? body
    : body.slice(offsetOf(body.length, most, scrolled)).slice(0, Math.max(0, most - 1))
  const rest = isAll
    ? []
    : [paint('Grey', clip(`${body.length - shown.length} lines more: arrow keys`, terminal.columns))]
  return [...head, ...shown, ...rest].slice(0, terminal.rows)
}

/** How far one can scroll so that the last line is seen. */
const offsetOf = (lines: number, most: number, scrolled: number) =>
  Math.min(Math.max(0, scrolled), Math.max(0, lines - Math.max(1, most - 1)))

/** The same bound, for who counts the keys. */
export const scrollMax = (top: Top, view: View): number => bodyOf(top, view).length

function bodyOf({ environments, instances }: Top, view: View): string[] {
  if (environments.length === 0) return ['There is no environment.']
  const table = tableOf(ofEnvironments, environments, view, ({ causes, colour }) =>
    // What is well says so by its colour.
    instances.length > 0 || colour !== 'Green' ? causes : [],
  )
  if (instances.length === 0) return table
  return [...table, '', ...tableOf(ofInstances, instances, view, ({ causes }) => causes)]
}

type Row = { colour: string }

function tableOf<R extends Row>(
  columns: Column<R>[],
  rows: R[],
  { size: { columns: width }, paint }: View,
  causesOf: (row: R) => string[],
): string[] {
  const cells = (column: Column<R>) => rows.map((row) => column.cell(row))
  const widthOf = (column: Column<R>) =>
    Math.max(column.title.length, ...cells(column).map((cell) => cell.length))
  let kept = columns
  const isTooWide = () => kept.reduce((sum, column) => sum + widthOf(column) + 1, -1) > width
  while (isTooWide()) {
    const most = Math.max(...kept.map(({ expendable }) => expendable))
    if (most === 0) break
    kept = kept.toSpliced(
      kept.findLastIndex(({ expendable }) => expendable === most),
      1,
    )
  }
  const line = (text: (column: Column<R>) => string, colour?: string) => {
    let at = 0
    return kept
      .flatMap((column) => {
        const [wide, room] = [widthOf(column), width - at]
        at += wide + 1
        if (room <= 0) return []
        const cell = clip(column.isRight ? text(column).padStart(wide) : text(column).padEnd(wide), room)
        return [colour !== undefined && column.title === 'HEALTH' ? paint(colour, cell) : cell]
      })
      .join(' ')
      .trimEnd()
  }
  const head = paint(
    'Grey',
    line(({ title }) => title),
  )
  return [
    head,
    ...rows.flatMap((row) => [
      line((column) => column.cell(row), row.colour),
      ...causesOf(row).flatMap((cause) => wrapped(cause, width)),
    ]),
  ]
}

const INDENT = 2
const CAUSE_LINES_MAX = 2

/** In whole words where there are some, of two lines at most. */
function wrapped(text: string, width: number): string[] {
  const room = Math.max(10, width - INDENT)
  const lines = ['']
  for (const word of text.split(/\s+/))
    if (lines.at(-1) === '' || lines.at(-1)!.length + 1 + word.length <= room)
      lines.push([lines.pop(), word].filter(Boolean).join(' '))
    else lines.push(word)
  const shown = lines.slice(0, CAUSE_LINES_MAX)
  if (lines.length > CAUSE_LINES_MAX) shown.push(`${shown.pop()}…`)
  return shown.map((line) => ' '.repeat(INDENT) + clip(line, room)).map((line) => clip(line, width))
}

const clip = (text: string, width: number) =>
  text.length <= width ? text : width <= 1 ? text.slice(0, width) : `${text.slice(0, width - 1)}…`

const counted = (count: number) => `${count} ${count === 1 ? 'environment' : 'environments'}`

const rate = (perSecond: number) => perSecond.toFixed(perSecond < 100 ? 1 : 0)
/** In percent of the answers; 0 is told apart from a little. */
function shareOf(one: TopRequests, part: number): string {
  const all = one.status2xx + one.status3xx + one.status4xx + one.status5xx
  if (all === 0) return '-'
  const share = (part / all) * 100
  return share > 0 && share < 1 ? '<1%' : `${Math.round(share)}%`
}
const percent = (value: number | null) => (value === null ? '-' : `${Math.round(value)}%`)

/** `4ms`, `120ms`, `1.4s`, `12s` */
export function seconds(ms: number | null): string {
  if (ms === null) return '-'
  if (ms < 1000) return `${Math.round(ms)}ms`
  return ms < 10_000 ? `${(ms / 1000).toFixed(1)}s` : `${Math.round(ms / 1000)}s`
}

function size(bytes: number | null): string {
  if (bytes === null) return '-'
  const mib = bytes / 2 ** 20
  return mib < 1000 ? `${Math.round(mib)}M` : `${(mib / 1024).toFixed(1)}G`
}
