// Refused while a home exists, which it names; then the home goes, then all that setup did.
import type { World } from '../scenario.ts'

export async function uninstall({ guest }: World): Promise<string> {
  const refused = await guest.run('cd polebean && bin/polebean uninstall --force 2>&1 && exit 1 || true')
  if (!/down --purge/.test(refused)) throw new Error(`uninstall did not name the home: ${refused}`)
  await guest.run('cd polebean && bin/polebean down --purge --force')
  await guest.run('cd polebean && bin/polebean uninstall --force')
  const again = await guest.run('cd polebean && bin/polebean uninstall --force 2>&1')
  if (!/nothing/.test(again)) throw new Error(`uninstall is not done when it is over: ${again}`)
  await guest.run('rm -rf polebean')
  return 'refused while the home was there, then done, then nothing left to do'
}
