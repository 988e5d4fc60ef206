// Files that grow, followed from inside of an instance by one program a look: what is new since a position, over rotations.
import { EngineError } from '../../kernel/errors.ts'
import { run } from '../../kernel/process.ts'
import type { FilePosition, FollowedPart } from './engine.ts'
import type { Sandboxes } from './sandbox.ts'

export type Followed = { path: string; position: FilePosition | null }

export async function followInside(
  sandboxes: Sandboxes,
  id: string,
  files: Followed[],
  { bytesMax }: { bytesMax: number },
): Promise<FollowedPart[]> {
  const argv = ['timeout', '-k', '1', '10', ...followArgv(files, bytesMax)]
  const result = await run(sandboxes.execArgv(id, 'root', {}, '/', argv), {
    timeoutMs: 15_000,
    outputBytesMax: files.length * PARTS_MAX * (2 * bytesMax + LINE_BYTES),
  })
  if (result.exit !== 0 || result.truncated)
    throw new EngineError(
      `${id}: its files cannot be followed: ${result.stderr.toString().trim().slice(-300) || `exit status ${result.exit}`}`,
    )
  return partsOf(result.stdout.toString('latin1'), files)
}

/** A copy that nothing was written to for so long is whole. */
const COPIED_SECONDS = 3
/** The rest of what was rotated, and what is new. */
const PARTS_MAX = 2
const LINE_BYTES = 200

export function followArgv(files: Followed[], bytesMax: number): string[] {
  const words = files.flatMap(({ path, position }) => {
    const { inode, offset, rotated } = position ?? { inode: '-', offset: 0, rotated: '-' }
    if (
      !/^(\d+|-)$/.test(inode) ||
      !/^[\d.:-]+$/.test(rotated) ||
      !Number.isSafeInteger(offset) ||
      offset < 0
    )
      throw new EngineError(`not a position: ${JSON.stringify(position)}`)
    return [path, inode, String(offset), rotated]
  })
  return ['/bin/sh', '-c', FOLLOW, 'follow', String(Math.max(1, Math.floor(bytesMax))), ...words]
}

/** Lines as FOLLOW prints them. Whoever writes the files has no say in their form: what they hold is base64. */
export function partsOf(output: string, files: Followed[]): FollowedPart[] {
  return output
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const [, index, inode, offset, rotated, ends, bytes = ''] =
        /^(\d+) (\d+) (\d+) ([\d.:-]+) ([01]) ([A-Za-z0-9+/=]*)$/.exec(line) ?? []
      const path = files[Number(index)]?.path
      if (path === undefined || inode === undefined || rotated === undefined)
        throw new EngineError(`not a part of a file: ${line.slice(0, 100)}`)
      return {
        path,
        from: { inode, offset: Number(offset), rotated },
        bytes: Buffer.from(bytes, 'base64'),
        ends: ends === '1',
      }
    })
}

// $1 bytes of each at most; then path, inode, offset and mark of each. A rotation copies a file to its .1 and empties it
// (src/platforms/instance/services.ts), or moves it there: either way the mark of .1 (inode, size, time) is another one
// then. That the file is smaller than its copy, or the copy was written a while ago, says that it is over; until then, which is the
// moment in which the copy is made, nothing is read. What is emptied without a copy is begun again.
const FOLLOW = `
most=$1 index=0
shift
part() {
  printf '%s %s %s %s %s ' "$index" "$inode" "$offset" "$mark" "$3"
  [ "$2" -eq 0 ] || tail -c "+$((offset + 1))" -- "$1" | head -c "$2" | base64 -w 0
  echo
}
bounded() {
  n=$1
  [ "$n" -le "$most" ] || n=$most
}
follow() {
  [ -f "$path" ] || return 0
  set -- $(stat -L -c '%i %s' -- "$path" 2>/dev/null)
  [ $# -eq 2 ] || return 0
  now=$1 size=$2 copy=0 seen=- time=0
  if [ -f "$path.1" ]; then
    set -- $(stat -L -c '%i %s %.9Y' -- "$path.1" 2>/dev/null)
    [ $# -ne 3 ] || { copy=$2 seen=$1:$2:$3 time=\${3%.*}; }
  fi
  [ "$inode" != - ] || { inode=$now offset=0 mark=$seen; }
  begins=
  if [ "$inode" = "$now" ] && [ "$size" -ge "$offset" ] && [ "$mark" != "$seen" ] && [ "$size" -ge "$copy" ]; then
    age=$(($(date +%s) - time))
    [ "$age" -gt ${COPIED_SECONDS} ] || [ "$age" -lt 0 ] || return 0
  fi
  if [ "$inode" != "$now" ] || [ "$size" -lt "$offset" ] || [ "$mark" != "$seen" ]; then
    if [ "$mark" != "$seen" ] && [ "$copy" -gt "$offset" ]; then
      bounded $((copy - offset))
      if [ "$n" -lt $((copy - offset)) ]; then part "$path.1" "$n" 0 && return 0; fi
      part "$path.1" "$n" 1
    fi
    inode=$now offset=0 mark=$seen begins=1
  fi
  bounded $((size - offset))
  [ "$n" -eq 0 ] && [ -z "$begins" ] || part "$path" "$n" 0
}
while [ $# -ge 4 ]; do
  path=$1 inode=$2 offset=$3 mark=$4
  shift 4
  follow
  index=$((index + 1))
done
`
