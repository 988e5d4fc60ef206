// `uninstall` undoes what setup and installing did to this machine. The code is setup's own, which runs on any Node: what
// it removes may be what the pinned one needs.
import { STAYS, uninstall as undo } from '../../../tools/setup/uninstall.mjs'
import { Failure } from '../failure.ts'
import { note, print, printJson } from '../output.ts'

export async function uninstall(
  homeDir: string,
  options: { force?: boolean; json?: boolean },
): Promise<void> {
  const done = await undo({ yes: options.force === true, homes: [homeDir], say: note }).catch(
    (error: Error) => {
      throw new Failure(error.message)
    },
  )
  if (options.json) return printJson(done)
  for (const one of done.undone) print(`undone: ${one}`)
  for (const one of [...done.kept, ...STAYS]) print(`left: ${one}`)
}
