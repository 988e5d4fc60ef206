// Reboots and power cuts under load, at random moments of create, update, terminate and backup: what was there is the same
// afterwards, what was under way comes to an end, and when all is over nothing is left.
import type { Guest } from '../guest.ts'
import { startLoad } from '../load.ts'
import type { World } from '../scenario.ts'
import { same, SERVER_ANSWERS, stateOf } from '../state.ts'
import { answers } from './answer.ts'

const MOMENT_MS_MAX = 25_000
const POLEBEAN = 'polebean/bin/polebean'
// Of the environment `extra`, which may be there or not when each begins.
const DEEDS = [
  ['create', `${POLEBEAN} up --name extra polebean/samples/flask-guestbook`],
  ['update', `${POLEBEAN} setenv --environment extra ROUND=$(date +%s%N)`],
  ['backup', 'sudo polebean/bin/polebean backup --force /var/tmp/home.polebean'],
  ['terminate', `${POLEBEAN} terminate extra --force`],
] as const

export async function reboots({ guest, memory, rounds }: World): Promise<string> {
  const before = await leavings(guest)
  const untouched = () => stateOf(guest, { built: false, name: 'flask-guestbook' })
  const main = await untouched()
  let cuts = 0
  for (let round = 0; round < rounds; round += 1) {
    const [name, command] = DEEDS[round % DEEDS.length]!
    const moment = Math.floor(Math.random() * MOMENT_MS_MAX)
    const cut = round % 2 === Math.floor(round / DEEDS.length) % 2
    if (cut) cuts += 1
    try {
      await startLoad(guest, memory.get('localUrl') ?? '')
      await guest.run(`nohup sh -c '${command}' >/tmp/deed 2>&1 </dev/null & sleep ${moment / 1000}`)
      await (cut ? guest.cutPower() : guest.reboot())
      await guest.run(SERVER_ANSWERS)
      await converged(guest)
      await answers(guest, memory)
      same(main, await untouched(), 'it')
    } catch (error) {
      const what = `${cut ? 'power cut' : 'reboot'} ${round + 1}, ${moment} ms into ${name}`
      throw new Error(`${what}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  await guest.run(`${POLEBEAN} terminate extra --force || true; sudo rm -f /var/tmp/home.polebean*`)
  await converged(guest)
  const after = await leavings(guest)
  if (after !== before) throw new Error(`before the reboots\n${before}\nafter them\n${after}`)
  await guest.run(`${POLEBEAN} doctor`)
  return `${rounds - cuts} reboots and ${cuts} power cuts`
}

/** Waits until no environment is under way any more, and each that is there is well. */
const converged = (guest: Guest): Promise<string> =>
  guest.run(`for i in $(seq 150); do
    ${POLEBEAN} list --json >/tmp/list
    grep -oP '"(status|health)": "\\K[^"]*' /tmp/list | grep -qvE '^(Ready|Green|Terminated)$' || exit 0
    sleep 2
  done; cat /tmp/list >&2; ${POLEBEAN} events extra >&2; exit 1`)

/** What an instance consists of, counted, and folders of the home that grow with instances and uploads. */
const leavings = (guest: Guest): Promise<string> =>
  guest.root(`
echo "namespaces $(ip netns list | wc -l)"
echo "mounts $(grep -c polebean /proc/mounts)"
echo "cgroups $(find /sys/fs/cgroup -type d -path '*polebean*' | wc -l)"
echo "links $(ip -o link | wc -l)"
echo "runc $(pgrep -c gunicorn || true)"
for folder in instances layers uploads tmp; do
  [ ! -d /var/lib/polebean/$folder ] || echo "$folder $(ls -A /var/lib/polebean/$folder | wc -l)"
done`)
