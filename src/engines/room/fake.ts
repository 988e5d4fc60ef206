// A disk that only pretends: its room is what a test says.
import type { Space } from '../../kernel/space.ts'
import type { RoomEngine } from './engine.ts'

export type FakeDisk = Space

export const makeFakeDisk = (): FakeDisk => ({ freeBytes: 400 * 2 ** 30, totalBytes: 500 * 2 ** 30 })

export const makeFakeRoom = (disk: FakeDisk = makeFakeDisk()): RoomEngine => ({
  space: () => ({ ...disk }),
  look: async () => ({
    ...disk,
    use: { database: 1_000, daemonLogs: 1_000, instanceDisks: 0, builds: 0, backups: 0 },
  }),
})
