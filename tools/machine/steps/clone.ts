// The picture to compare with later; then the sudo user has a clone of what is committed here.
import { fileURLToPath } from 'node:url'
import { PICTURE } from '../compare.ts'
import { bundleOf } from '../bundle.ts'
import { introduce, type Guest } from '../guest.ts'
import type { World } from '../scenario.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

export async function clone({ guest, memory }: World): Promise<string> {
  await introduce(guest)
  await guest.root('apt-get -qq update')
  memory.set('before', await guest.root(PICTURE))
  await bring(guest)
  return `${(await guest.run('cat /etc/debian_version; uname -r')).trim().replace('\n', ', ')}`
}

/** A clone of what is committed here, in the sudo user's home. */
export const bring = async (guest: Guest): Promise<string> =>
  guest.run('cat >polebean.bundle && git clone -q -b main polebean.bundle polebean && rm polebean.bundle', {
    stdin: await bundleOf(ROOT),
  })
