// Resident memory, PSS (proc(5), smaps_rollup: shared pages are counted in parts), of each process of the home: the
// daemons, and what an instance has beside its application.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import type { TestHome } from '../test/support/home.ts'
import { median, type Figure } from './measure.ts'

const MB = 1024

/** The first that fits names the process. */
const DAEMONS: [name: string, test: RegExp][] = [
  ['control plane', /src\/cli\/main\.ts server/],
  ['HAProxy', /(^|\/)haproxy /],
  ['resolver', /dnsmasq /],
  ['name server', /pdns_server /],
  ['supervisor and logs', /runsvdir|runsv |svlogd/],
]
const APPLICATION = /gunicorn|python/

type Found = { pid: string; line: string; cgroup: string; kb: number }

export async function memory(home: TestHome): Promise<Figure[]> {
  const { id } = home.settings()
  const namespaces = [`pb-${id}`, `pb-${id}-lb`].map((name) => inodeOf(`/run/netns/${name}`))
  const all = processes().filter(
    ({ pid, line, cgroup }) =>
      `${line} ${cgroup}`.includes(id) ||
      line.includes(home.dir) ||
      namespaces.some((inode) => inode === inodeOf(`/proc/${pid}/ns/net`)),
  )
  const instances = Map.groupBy(
    all.filter(({ cgroup }) => /\/i-[0-9a-f]{17}/.test(cgroup)),
    ({ cgroup }) => /i-[0-9a-f]{17}/.exec(cgroup)![0],
  )
  const daemons = all.filter(({ cgroup }) => !/\/i-[0-9a-f]{17}/.test(cgroup))
  const parts = DAEMONS.map(([name, test]) => ({
    name,
    mb: sum(daemons.filter(({ line }) => test.test(line))),
  }))
  const totalMb = parts.reduce((total, { mb }) => total + mb, 0)
  const own = [...instances.values()].map((some) => sum(some.filter(({ line }) => !APPLICATION.test(line))))
  const apps = [...instances.values()].map((some) => sum(some.filter(({ line }) => APPLICATION.test(line))))
  return [
    {
      what: 'memory of all daemons (PSS), one environment',
      value: `${totalMb.toFixed(0)} MB`,
      against: parts.map(({ name, mb }) => `${name} ${mb.toFixed(1)}`).join(', '),
      ratio: '',
      budget: '≤ 200 MB',
      met: totalMb <= 200 ? 'yes' : 'no',
    },
    {
      what: 'memory of an instance (PSS) beyond its application',
      value: `${median(own).toFixed(1)} MB`,
      against: `its application: ${median(apps).toFixed(1)} MB`,
      ratio: '',
      budget: '≤ 6 MB',
      met: median(own) <= 6 ? 'yes' : 'no',
    },
  ]
}

const sum = (some: Found[]) => some.reduce((total, { kb }) => total + kb, 0) / MB

function processes(): Found[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => ({
      pid,
      line: read(`/proc/${pid}/cmdline`).replaceAll('\0', ' '),
      cgroup: read(`/proc/${pid}/cgroup`),
      kb: Number(/^Pss:\s+(\d+)/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0),
    }))
}

function inodeOf(path: string): number {
  try {
    return statSync(path).ino
  } catch {
    return Number.NaN // the process ended meanwhile, or is nobody's to look at
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return '' // the process ended meanwhile
  }
}
