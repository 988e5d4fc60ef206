// The machine is as it was before the clone.
import { compare, PICTURE } from '../compare.ts'
import type { World } from '../scenario.ts'

export async function compareMachine({ guest, memory }: World): Promise<string> {
  const { gone, came } = compare(memory.get('before') ?? '', await guest.root(PICTURE))
  const lines = [...gone.map((line) => `- ${line}`), ...came.map((line) => `+ ${line}`)]
  if (lines.length > 0)
    throw new Error(
      `the machine is not as it was (${lines.length} lines):\n${lines.slice(0, 200).join('\n')}`,
    )
  return 'nothing differs'
}
