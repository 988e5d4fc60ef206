// Refused while a home exists, which it names; then the home goes, then all that setup did.
import type { World } from '../scenario.ts'

// By npm's own Node: the pinned one may not start any more, once its library is gone.
const UNINSTALL = 'cd polebean && npm run --silent uninstall -- --force 2>&1'

export async function uninstall({ guest }: World): Promise<string> {
  const refused = await guest.run(`{ ${UNINSTALL} && exit 1; } || true`)
  if (!/down --purge/.test(refused)) throw new Error(`uninstall did not name the home: ${refused}`)
  await guest.run('cd polebean && bin/polebean down --purge --force')
  await guest.run(UNINSTALL)
  const again = await guest.run(UNINSTALL)
  if (!/changed nothing/.test(again)) throw new Error(`uninstall is not done when it is over: ${again}`)
  await guest.run('rm -rf polebean')
  return 'refused while the home was there, then done, then nothing left to do'
}
