// Points of metrics: how many a second are taken in, and what a virtual day of environments leaves in the file. A twentieth of the
// environments, for the time of a day, and a file that grows with their number: what was measured times twenty.
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { seededRandom } from '../src/kernel/random.ts'
import { openMetricFile, type SeriesKey } from '../src/services/cloudwatch/points/file.ts'
import { makeMetrics } from '../src/services/cloudwatch/points/metrics.ts'
import { single, type Sample } from '../src/services/cloudwatch/points/sample.ts'
import { VirtualClock } from '../sim/virtual-clock.ts'
import type { Figure } from './measure.ts'

const ENVIRONMENTS = 200
const MEASURED = 10
const DAY_S = 86_400
const GIB = 2 ** 30

const EC2 = ['CPUUtilization', 'NetworkIn', 'NetworkOut', 'NetworkPacketsIn', 'NetworkPacketsOut']
const DISK = ['DiskReadBytes', 'DiskWriteBytes', 'DiskReadOps', 'DiskWriteOps', 'StatusCheckFailed']
const BALANCER = [
  'RequestCount',
  'HTTPCode_Target_2XX_Count',
  'ActiveConnectionCount',
  'NewConnectionCount',
  'ProcessedBytes',
]
const HOSTS = ['HealthyHostCount', 'UnHealthyHostCount']

export async function metrics(): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'pbbench-'))
  const path = join(folder, 'metrics.db')
  const file = openMetricFile(path)
  const clock = new VirtualClock()
  const random = seededRandom(1)
  const points = makeMetrics(file, clock, () => 100 * GIB)
  const key = (namespace: string, name: string, dimensions: string): SeriesKey => ({
    ...{ account: '0', region: 'r', namespace, name, dimensions, unit: 'None' },
  })
  // One environment in five is asked, a few times a second.
  const environments = Array.from({ length: MEASURED }, (_none, index) => {
    const isBusy = index % 5 === 0
    const own = (names: string[], dimensions: string, of: () => Sample | null) =>
      names.map((name) => ({ key: key('AWS', name, `${dimensions}${index}`), of }))
    const noise = () => single(Math.round(random.next() * 1000) / 1000)
    const bytes = () => single(isBusy ? Math.floor(40_000 + random.next() * 10_000) : 0)
    const latency = (): Sample | null => {
      if (!isBusy) return null
      const values = [...new Set(Array.from({ length: 4 }, () => Math.round(random.next() * 100) / 1000))]
      const list = values.toSorted((a, b) => a - b).map((value): [number, number] => [value, 1])
      const sum = list.reduce((all, [value]) => all + value, 0)
      return { count: list.length, sum, min: list[0]![0], max: list.at(-1)![0], values: list }
    }
    return [
      ...['i', 'g'].flatMap((kind) => [
        ...own(EC2.slice(0, 1), kind, noise),
        ...own(EC2.slice(1), kind, bytes),
        ...own(DISK, kind, () => single(0)),
      ]),
      ...own(BALANCER, 'lb', () => (isBusy ? bytes() : null)),
      ...['lb', 'tg'].flatMap((kind) => own(['TargetResponseTime'], kind, latency)),
      ...own(HOSTS, 'tg', () => single(1)),
    ]
  }).flat()

  const startedAt = process.cpuUsage()
  let count = 0
  let second = Math.floor(clock.now() / 1000)
  for (let n = 0; n < DAY_S; n++, second++) {
    clock.setWall(1000)
    const now = environments.flatMap(({ key: of, of: sampleOf }) => {
      const sample = sampleOf()
      return sample ? [{ key: of, second, sample }] : []
    })
    count += now.length
    points.record(now)
    while (points.work());
  }
  const { user, system } = process.cpuUsage(startedAt)
  points.flush()
  const bytes = file.bytes()
  file.close()
  const onDisk = statSync(path).size
  rmSync(folder, { recursive: true })
  const times = ENVIRONMENTS / MEASURED
  // Of processor time: what else the machine does has no part in it.
  const perSecond = (count * 1e6) / (user + system)
  const share = ((environments.length * times) / perSecond) * 100
  return [
    {
      what: 'points of metrics taken in, packed and rolled up',
      value: `${Math.round(perSecond)} a second of a core`,
      against: `${ENVIRONMENTS} environments: ${environments.length * times} a second`,
      ratio: `${share.toFixed(1)} % of a core`,
      ...{ budget: '', met: '' },
    },
    {
      what: `metrics file after a day of ${ENVIRONMENTS} environments`,
      value: `${Math.round((bytes * times) / 2 ** 20)} MB (${Math.round((onDisk * times) / 2 ** 20)} on disk)`,
      against: '1 GB',
      ratio: ((bytes * times) / 1e9).toFixed(2),
      budget: '< 1',
      met: bytes * times < 1e9 ? 'yes' : 'no',
    },
  ]
}
