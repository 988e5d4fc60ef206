// Resident memory, PSS summed (proc(5), smaps_rollup), of every process of the home, by what it is.
import { readdirSync, readFileSync } from 'node:fs'
import type { TestHome } from '../test/support/home.ts'
import type { Figure } from './measure.ts'

const KINDS: [name: string, test: (line: string, id: string) => boolean][] = [
  ['control plane', (line) => line.includes('src/cli/main.ts server')],
  ['HAProxy', (line) => /(^|\/)haproxy /.test(line)],
  ['resolver', (line) => line.includes('dnsmasq')],
  ['supervisor', (line) => /runsvdir|runsv |svlogd/.test(line)],
]

export async function memory(home: TestHome): Promise<Figure[]> {
  const { id } = home.settings()
  const sums = new Map<string, number>(KINDS.map(([name]) => [name, 0]))
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const line = read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')
    const environ = `${line} ${read(`/proc/${pid}/cgroup`)}`
    if (!environ.includes(home.dir) && !environ.includes(id)) continue
    const kind = KINDS.find(([, test]) => test(line, id))
    if (!kind) continue
    const kb = Number(/^Pss:\s+(\d+)/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0)
    sums.set(kind[0], sums.get(kind[0])! + kb)
  }
  const total = [...sums.values()].reduce((sum, kb) => sum + kb, 0) / 1024
  const parts = [...sums].map(([name, kb]) => `${name} ${(kb / 1024).toFixed(0)}`).join(', ')
  return [
    {
      what: 'resident memory of all daemons (PSS)',
      value: `${total.toFixed(0)} MB`,
      against: parts,
      ratio: '',
      budget: '≤ 200 MB',
      met: total <= 200 ? 'yes' : 'no',
    },
  ]
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return '' // the process ended meanwhile
  }
}
