// The environment answers 200 through its name (curl resolves *.localhost) and its loopback port.
import type { Guest } from '../guest.ts'
import type { World } from '../scenario.ts'

const WAIT_S = 120

export const answer = ({ guest, memory }: World): Promise<string> => answers(guest, memory)

/** Asks until both answer 200; of an emulated machine a step may be slow. */
export async function answers(guest: Guest, memory: Map<string, string>): Promise<string> {
  for (const name of ['url', 'localUrl'])
    await guest.run(
      `for i in $(seq ${WAIT_S}); do code=$(curl -s -m 10 -o /tmp/answer -w '%{http_code}' ${memory.get(name)} || true); ` +
        `[ "$code" = 200 ] && exit 0; sleep 1; done; echo "${name} ${memory.get(name)}: $code" >&2; exit 1`,
    )
  return 'by name and by loopback port'
}
