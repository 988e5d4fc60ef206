// Requests that wait for a target instead of being answered 503, as HAProxy's lines and the Lua that they call: HAProxy by itself
// queues for servers that are busy, not for those that are not there. Asked only when there is none.
import type { Backend } from './names.ts'

export const AWAIT_FILE = 'await-target.lua'

/** In ticks of 50 ms. A worker that was replaced is told of no target any more: its requests go to the one of now. */
export const AWAIT_TARGET = `local function holds(sample) return sample == true or sample == 1 end

core.register_action("await_target", { "http-req" }, function(txn, backend, seconds)
  for _ = 1, tonumber(seconds) * 20 do
    if txn.f:nbsrv(backend) > 0 or holds(txn.f:stopping()) then return end
    core.msleep(50)
  end
end, 2)
`

export const loadLine = (dir: string): string => `  lua-load ${dir}/${AWAIT_FILE}`

/** For the backends of load balancers whose requests wait. */
export const awaitLines = (backends: Backend[]): string[] =>
  backends.flatMap(({ name, loadBalancer: { queueSeconds = 0 } }) =>
    queueSeconds === 0
      ? []
      : [
          `http-request lua.await_target ${name} ${queueSeconds} if { var(txn.to) -m str ${name} } { nbsrv(${name}) eq 0 }`,
        ],
  )
