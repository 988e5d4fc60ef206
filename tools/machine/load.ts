// Requests to an environment while something is done to it, from inside the guest: each on a connection of its own, one
// after the other, until it is told to stop.
import type { Guest } from './guest.ts'

const AT_MOST_S = 1200

export type Load = {
  /** Ends it; answers how many were answered 200. Throws what failed, and when fewer than `atLeast` were asked. */
  end(atLeast?: number): Promise<number>
}

export async function startLoad(guest: Guest, url: string): Promise<Load> {
  await guest.run('cat >/tmp/load.py', { stdin: PROGRAM })
  await guest.run(
    `rm -f /tmp/load.*.json /tmp/load.stop; nohup python3 /tmp/load.py ${url} >/tmp/load.out 2>&1 </dev/null &
     for i in $(seq 100); do [ -e /tmp/load.begun.json ] && exit 0; sleep 0.2; done; cat /tmp/load.out >&2; exit 1`,
  )
  return {
    async end(atLeast = 20) {
      const said = await guest.run(
        'touch /tmp/load.stop; for i in $(seq 60); do [ -e /tmp/load.ended.json ] && break; sleep 0.5; done; ' +
          'cat /tmp/load.ended.json; rm -f /tmp/load.*',
      )
      const { answered, failed } = JSON.parse(said) as { answered: number; failed: string[] }
      if (failed.length > 0 || answered < atLeast)
        throw new Error(`${answered} requests were answered; failed: ${failed.join('; ') || 'none'}`)
      return answered
    },
  }
}

const PROGRAM = `
import json, os, sys, time, urllib.request
answered, failed, end = 0, [], time.time() + ${AT_MOST_S}
def tell(name):
    with open('/tmp/load.part', 'w') as file:
        json.dump({'answered': answered, 'failed': failed[:20]}, file)
    os.rename('/tmp/load.part', '/tmp/load.%s.json' % name)
while not os.path.exists('/tmp/load.stop') and time.time() < end:
    try:
        with urllib.request.urlopen(sys.argv[1], timeout=20) as reply:
            reply.read()
            answered += 1
    except Exception as error:
        failed.append('%r at %.1f' % (error, time.time()))
    if answered == 1:
        tell('begun')
    time.sleep(0.02)
tell('ended')
`
