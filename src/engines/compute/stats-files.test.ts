import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  cgroupFiles,
  parseBlkio,
  parseCpuKinds,
  parseCpuStat,
  parseInterfaces,
  parseIoStat,
} from './stats-files.ts'

describe('what the kernel says an instance has used', () => {
  const cases: [what: string, seen: object, meant: object][] = [
    [
      'processor time (version 2)',
      parseCpuStat('usage_usec 1500000\nuser_usec 1000000\nsystem_usec 500000\nnr_periods 3\n'),
      { cpuSeconds: 1.5 },
    ],
    [
      'its kinds (version 2)',
      parseCpuKinds('usage_usec 1500000\nuser_usec 1000000\nsystem_usec 500000\nnr_periods 3\n'),
      { cpuUserSeconds: 1, cpuSystemSeconds: 0.5 },
    ],
    ['processor time that is not told', parseCpuStat(''), {}],
    [
      'its own disk, not what it reads of the machine’s',
      parseIoStat(
        '254:0 rbytes=999 wbytes=999 rios=9 wios=9 dbytes=0 dios=0\n7:3 rbytes=100 wbytes=20 rios=3 wios=2 dbytes=0 dios=0\n7:4 rbytes=1 wbytes=1 rios=1 wios=1\n',
      ),
      { diskReadBytes: 101, diskWriteBytes: 21, diskReads: 4, diskWrites: 3 },
    ],
    [
      'a disk that was not used',
      parseIoStat(''),
      { diskReadBytes: 0, diskWriteBytes: 0, diskReads: 0, diskWrites: 0 },
    ],
    [
      'a disk (version 1)',
      parseBlkio('7:3 Read 4096\n7:3 Write 512\n7:3 Sync 4608\n254:0 Read 9\n7:3 Total 4608\nTotal 4617\n'),
      { reads: 4096, writes: 512 },
    ],
    [
      'an interface: what comes in is received',
      parseInterfaces(
        'Inter-|   Receive  |  Transmit\n face |bytes\n    lo:     10       1    0    0    0     0          0         0       10       1    0    0    0     0       0          0\n  eth0: 1296      16    0    0    0     0          0         0      840      12    0    0    0     0       0          0\n',
      ),
      { networkInBytes: 1296, networkInPackets: 16, networkOutBytes: 840, networkOutPackets: 12 },
    ],
    ['an instance that is not attached', parseInterfaces('    lo: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n'), {}],
  ]
  for (const [what, seen, meant] of cases) it(what, () => assert.deepEqual(seen, meant))

  it('of version 1 two files tell of the disk, of version 2 one', () => {
    const files = (version: 1 | 2) =>
      cgroupFiles('/polebean/x/i-1', version)
        .filter(({ part }) => part === 'disk')
        .map(({ path, parse }) => [path, Object.keys(parse(''))])
    assert.deepEqual(files(1), [
      [
        '/sys/fs/cgroup/blkio/polebean/x/i-1/blkio.throttle.io_service_bytes',
        ['diskReadBytes', 'diskWriteBytes'],
      ],
      ['/sys/fs/cgroup/blkio/polebean/x/i-1/blkio.throttle.io_serviced', ['diskReads', 'diskWrites']],
    ])
    assert.equal(files(2).length, 1)
  })
})
