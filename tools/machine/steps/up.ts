// README's first command, as the sudo user, with everything to fetch.
import type { World } from '../scenario.ts'

export async function up({ guest, memory }: World): Promise<string> {
  const said = await guest.run(
    'cd polebean && npm run up -- --json </dev/null 2>up.log || { cat up.log >&2; exit 1; }',
  )
  const { url, localUrl } = JSON.parse(said.slice(said.indexOf('{'))) as { url: string; localUrl: string }
  memory.set('url', url)
  memory.set('localUrl', localUrl)
  return url
}
