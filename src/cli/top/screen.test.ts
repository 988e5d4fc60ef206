import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Top, TopEnvironment, TopInstance, TopRequests } from '../../services/elasticbeanstalk/top.ts'
import { renderTop, seconds, type View } from './screen.ts'

const MIB = 2 ** 20
const requests = (more: Partial<TopRequests> = {}): TopRequests => ({
  ...{ perSecond: 42.26, status2xx: 40, status3xx: 0.2, status4xx: 2.06, status5xx: 0 },
  ...{ p50Ms: 4.2, p90Ms: 18, p99Ms: 1_430, ...more },
})
const system = { cpuPercent: 23.4, memoryBytes: 131 * MIB, memoryPercent: 12.8 }
const environment = (more: Partial<TopEnvironment> = {}): TopEnvironment => ({
  ...{ name: 'shop-prod', id: 'e-1', status: 'Ready', health: 'Ok', colour: 'Green', causes: [] },
  ...{
    versionLabel: 'v1',
    instances: { inService: 2, desired: 2 },
    requests: requests(),
    ...system,
    ...more,
  },
})
const instance = (more: Partial<TopInstance> = {}): TopInstance => ({
  ...{
    id: 'i-0123456789abcdef0',
    health: 'Ok',
    colour: 'Green',
    causes: [],
    requests: requests(),
    ...system,
  },
  ...{ load: 0.314, diskPercent: 7, versionLabel: 'v1', type: 't3.micro', zone: 'us-west-2a', launchedAt: 0 },
  ...more,
})
const of = (environments: TopEnvironment[], instances: TopInstance[] = []): Top => ({
  ...{ at: 0, environments, instances },
})
const view = (more: Partial<View> = {}): View => ({
  size: { columns: 80, rows: 24 },
  paint: (_colour, text) => text,
  ...{ scrolled: 0, aside: '12:00:00  q quits', trouble: '', ...more },
})
const painted = (colour: string, text: string) => `\x1b[${colour.length}m${text}\x1b[0m`
const visible = (line: string) => line.replaceAll(/\x1b\[\d+m/g, '')

describe('the screen of top', () => {
  it('has in 80 columns what matters most', () => {
    const severe = environment({
      ...{
        name: 'blog',
        health: 'Severe',
        colour: 'Red',
        requests: null,
        cpuPercent: null,
        memoryBytes: null,
      },
      ...{
        instances: { inService: 0, desired: 1 },
        causes: ['ELB processes are not healthy on all instances.'],
      },
    })
    assert.deepEqual(renderTop(of([severe, environment()]), view()), [
      'polebean top  2 environments                                   12:00:00  q quits',
      '',
      'ENVIRONMENT HEALTH INST  R/S 2XX 3XX 4XX 5XX P50  P90  P99 CPU  MEM VERSION',
      'blog        Severe  0/1    -   -   -   -   -   -    -    -   -    - v1',
      '  ELB processes are not healthy on all instances.',
      'shop-prod   Ok      2/2 42.3 95% <1%  5%  0% 4ms 18ms 1.4s 23% 131M v1',
    ])
  })

  it('leaves columns out where there is no room, and the name last', () => {
    const line = (columns: number) => renderTop(of([environment()]), view({ size: { columns, rows: 24 } }))[2]
    assert.equal(line(60), 'ENVIRONMENT HEALTH INST  R/S 2XX 4XX 5XX P50  P99 CPU  MEM')
    assert.equal(line(30), 'ENVIRONMENT HEALTH  R/S 5XX')
    assert.equal(line(14), 'ENVIRONMENT H…')
  })

  it('has the instances of the one that was asked for', () => {
    const busy = instance({
      health: 'Warning',
      colour: 'Yellow',
      causes: ['93 % of CPU is in use.'],
      cpuPercent: 93,
    })
    assert.deepEqual(
      renderTop(of([environment()], [busy]), view({ size: { columns: 120, rows: 24 } })).slice(2),
      [
        'ENVIRONMENT HEALTH INST  R/S 2XX 3XX 4XX 5XX P50  P90  P99 CPU  MEM VERSION',
        'shop-prod   Ok      2/2 42.3 95% <1%  5%  0% 4ms 18ms 1.4s 23% 131M v1',
        '',
        'INSTANCE            HEALTH   R/S 2XX 3XX 4XX 5XX P50  P90  P99 CPU  MEM MEM% LOAD DISK TYPE     ZONE       VERSION',
        'i-0123456789abcdef0 Warning 42.3 95% <1%  5%  0% 4ms 18ms 1.4s 93% 131M  13% 0.31   7% t3.micro us-west-2a v1',
        '  93 % of CPU is in use.',
      ],
    )
  })

  it('tells causes in two lines at most', () => {
    const causes = ['word '.repeat(60).trim()]
    const lines = renderTop(of([environment({ colour: 'Red', causes })]), view())
    assert.equal(lines.length, 6)
    assert.match(lines[5] ?? '', /word…$/)
  })

  it('says why nothing newer is shown', () => {
    const lines = renderTop(of([environment()]), view({ trouble: 'Polebean is not running' }))
    assert.equal(lines[1], 'Polebean is not running')
  })

  it('is scrolled to its last line, and never beyond', () => {
    const many = of(
      Array.from({ length: 30 }, (_unused, index) => environment({ name: `shop-${index + 10}` })),
    )
    const at = (scrolled: number) => renderTop(many, view({ scrolled, size: { columns: 80, rows: 12 } }))
    assert.equal(at(0).length, 12)
    assert.match(at(0).at(-1) ?? '', /^22 lines more: arrow keys$/)
    assert.match(at(3)[2] ?? '', /^shop-12 /)
    assert.deepEqual(at(1_000), at(22))
    assert.match(at(1_000).at(-2) ?? '', /^shop-39 /)
  })

  it('is never larger than the terminal, with colours and without', () => {
    const top = of(
      [
        environment({
          causes: ['x'.repeat(300)],
          colour: 'Red',
          name: 'a-name-that-is-forty-characters-long-yes-it-is',
        }),
      ],
      [instance({ causes: ['some words '.repeat(30)] }), instance()],
    )
    for (let columns = 1; columns <= 200; columns += 3)
      for (const rows of [1, 2, 3, 5, 24, 60])
        for (const paint of [view().paint, painted]) {
          const lines = renderTop(
            top,
            view({ paint, size: { columns, rows }, trouble: 'server gone '.repeat(20) }),
          )
          assert.ok(lines.length <= rows, `${lines.length} lines of ${rows}`)
          for (const line of lines)
            assert.ok(visible(line).length <= columns, `${visible(line).length} of ${columns}: ${line}`)
        }
  })

  it('colours words of health alone', () => {
    const lines = renderTop(of([environment()]), view({ paint: painted }))
    assert.match(lines[3] ?? '', /^shop-prod {3}\x1b\[5mOk {4}\x1b\[0m {2}2\/2/)
  })

  it('has a word when there is nothing', () =>
    assert.equal(renderTop(of([]), view())[2], 'There is no environment.'))

  it('tells times shortly', () =>
    assert.deepEqual([null, 0.4, 999, 1_000, 12_400].map(seconds), ['-', '0ms', '999ms', '1.0s', '12s']))
})
