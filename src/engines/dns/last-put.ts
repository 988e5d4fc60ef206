// What a server was told last, for a while: nothing but a short cut, of which the oldest goes when there is too much of it.

export type LastPut<T> = {
  get(name: string): T[] | undefined
  keep(name: string, parts: T[]): void
  forget(name: string): void
}

/** `partsMax`: of all names together. */
export function makeLastPut<T>(partsMax: number): LastPut<T> {
  const kept = new Map<string, T[]>()
  let count = 0
  const forget = (name: string) => {
    count -= kept.get(name)?.length ?? 0
    kept.delete(name)
  }
  return {
    get: (name) => kept.get(name),
    keep(name, parts) {
      forget(name)
      kept.set(name, parts)
      count += parts.length
      for (const oldest of kept.keys()) {
        if (count <= partsMax) break
        forget(oldest)
      }
    },
    forget,
  }
}
