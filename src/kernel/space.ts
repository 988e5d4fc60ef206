// How much room a file system has, and when that is too little (issue: below 5 % or 1 GiB, whichever is smaller).
import { statfsSync } from 'node:fs'

export type Space = { freeBytes: number; totalBytes: number }

/** Of the file system that holds `path`: what a process that is not root could still write. */
export function spaceOf(path: string): Space {
  const { bavail, blocks, bsize } = statfsSync(path)
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize }
}

/** Below it nothing new is begun that needs room: the database and what runs must be able to go on. */
export const leastFreeBytes = ({ totalBytes }: Space): number => Math.min(totalBytes / 20, 2 ** 30)

export const isLow = (space: Space): boolean => space.freeBytes < leastFreeBytes(space)

/** Once low, it is so until there is a fifth more than the least: at the border it must not waver. */
export const isStillLow = (space: Space): boolean => space.freeBytes < leastFreeBytes(space) * 1.2

/** `412 MiB`, `1.5 GiB`. */
export function sizeText(bytes: number): string {
  if (bytes >= 10 * 2 ** 30) return `${Math.round(bytes / 2 ** 30)} GiB`
  if (bytes >= 2 ** 30) return `${(bytes / 2 ** 30).toFixed(1)} GiB`
  return `${Math.ceil(bytes / 2 ** 20)} MiB`
}

/** Why something was refused, and what to do. `what` begins the sentence: `The build`. */
export const lowSentence = (what: string, space: Space): string =>
  `${what} was refused: the disk of the home has less than ${sizeText(leastFreeBytes(space))} of ` +
  `${sizeText(space.totalBytes)} free. Make room (polebean status shows what uses it, polebean prune removes what nothing ` +
  'uses), then try again.'
