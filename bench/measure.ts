// Paired runs: the contestants take turns within each round, and ratios are taken within a round, so that a noisy
// machine hurts all of them alike. Medians over rounds.
import { runProgram } from '../test/support/home.ts'

export type Figure = {
  what: string
  value: string
  against: string
  ratio: string
  budget: string
  met: string
}

export const median = (values: number[]): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** Runs every contestant once a round; answers their values by round. */
export async function inTurns(
  rounds: number,
  contestants: Record<string, () => Promise<number>>,
): Promise<Record<string, number[]>> {
  const values: Record<string, number[]> = Object.fromEntries(
    Object.keys(contestants).map((name) => [name, []]),
  )
  for (let round = 0; round < rounds; round++)
    for (const [name, measure] of Object.entries(contestants)) values[name]!.push(await measure())
  return values
}

/** Median over rounds of a / b. */
export const ratioOf = (a: number[], b: number[]): number =>
  median(a.map((value, round) => value / b[round]!))

/** Requests a second by wrk, or the milliseconds of a percentile: 64 keep-alive connections, one thread; throws when any request failed. */
export async function wrk(
  prefix: string[],
  url: string,
  options: {
    host?: string
    seconds?: number
    connections?: number
    script?: string
    headers?: string[]
    percentile?: 50 | 99
  } = {},
): Promise<number> {
  const { host, seconds = 4, connections = 64, script, percentile } = options
  const scripted = script ? ['-s', script] : []
  const headers = [...(host ? [`Host: ${host}`] : []), ...(options.headers ?? [])]
  const header = [...headers.flatMap((one) => ['-H', one]), ...(percentile ? ['--latency'] : [])]
  const argv = [...prefix, 'wrk', '-t1', `-c${connections}`, `-d${seconds}s`, ...scripted, ...header, url]
  const { status, stdout, stderr } = await runProgram(argv)
  const perSecond = /Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]
  if (status !== 0 || !perSecond) throw new Error(`${argv.join(' ')}: ${stderr}${stdout}`)
  const bad = /Non-2xx or 3xx responses: (\d+)/.exec(stdout)?.[1]
  if (bad) throw new Error(`${argv.join(' ')}: ${bad} answers were errors`)
  if (percentile === undefined) return Number(perSecond)
  const [, value, unit = ''] = new RegExp(`^\\s+${percentile}%\\s+([\\d.]+)(us|ms|s)`, 'm').exec(stdout) ?? []
  return Number(value) * { us: 0.001, ms: 1, s: 1000 }[unit]!
}

export function printFigures(figures: Figure[]): void {
  const head: (keyof Figure)[] = ['what', 'value', 'against', 'ratio', 'budget', 'met']
  console.log(`\n| ${head.join(' | ')} |\n|${head.map(() => '---').join('|')}|`)
  for (const figure of figures) console.log(`| ${head.map((column) => figure[column]).join(' | ')} |`)
}
