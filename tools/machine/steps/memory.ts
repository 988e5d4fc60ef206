// Cgroup v2 counts what the kernel took: an application that eats its memory is named in an event, and starts again.
import type { World } from '../scenario.ts'

const EATER = `
def application(environ, start_response):
    if environ['PATH_INFO'] == '/eat':
        eaten = []
        while True:
            eaten.append(bytearray(b'x' * (16 << 20)))
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [b'hungry']
`
const POLEBEAN = 'polebean/bin/polebean'
const EVENT =
  /The kernel ended the process \S+ for want of memory: an instance of type t3\.micro may hold 1024 MiB/

export async function memory({ guest }: World): Promise<string> {
  await guest.run('mkdir -p eater; cat >eater/application.py', { stdin: EATER })
  const url = (await guest.run(`${POLEBEAN} up eater </dev/null`)).trim().split('\n').at(-1)!
  await guest.run(`curl -s -m 300 -o /dev/null ${url}eat || true`)
  const said = await guest.run(
    `for i in $(seq 60); do ${POLEBEAN} events eater >/tmp/events; grep -q 'for want of memory' /tmp/events && break; sleep 2; done
     cat /tmp/events; rm /tmp/events
     for i in $(seq 60); do curl -sf -m 10 ${url} && break; sleep 2; done`,
  )
  if (!EVENT.test(said)) throw new Error(`no event names what the kernel took:\n${said}`)
  if (!said.endsWith('hungry')) throw new Error('the application did not come back')
  await guest.run(`${POLEBEAN} terminate eater --force; rm -r eater`)
  return 'an event names process, limit and the next type; the application came back'
}
