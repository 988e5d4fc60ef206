// README's first command, as the sudo user, with everything to fetch.
import type { Guest } from '../guest.ts'
import type { World } from '../scenario.ts'

export async function up({ guest, memory }: World): Promise<string> {
  const before = await received(guest)
  const said = await guest.run(
    'cd polebean && npm run up -- --json </dev/null 2>up.log || { cat up.log >&2; exit 1; }',
  )
  const { url, localUrl } = JSON.parse(said.slice(said.indexOf('{'))) as { url: string; localUrl: string }
  memory.set('url', url)
  memory.set('localUrl', localUrl)
  const megabytes = ((await received(guest)) - before) / 1e6
  return `${megabytes.toFixed(0)} MB fetched (goal: 150); ${url}`
}

const received = async (guest: Guest): Promise<number> =>
  Number(await guest.run('cat /sys/class/net/e*/statistics/rx_bytes'))
