export function mayRemoveFolder(path: unknown, ours: string[]): boolean
export function isFullPath(path: unknown): boolean
