// `up` once more: nothing to fetch, nothing to deploy, no sudo.
import type { World } from '../scenario.ts'

export async function again({ guest }: World): Promise<void> {
  await guest.run('cd polebean && npm run up </dev/null 2>again.log || { cat again.log >&2; exit 1; }')
}
