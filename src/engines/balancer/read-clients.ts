// Who is let in at each listener, asked of HAProxy itself.
import { join } from 'node:path'
import { EngineError } from '../../kernel/errors.ts'
import { rangesOfMap } from './clients.ts'
import type { BalancerModel, ListenerClients } from './engine.ts'
import { clientsName } from './names.ts'
import { ask, word } from './socket.ts'

/** `model` only says which listeners there are. */
export async function readClients(
  socket: string,
  dir: string,
  { loadBalancers }: BalancerModel,
): Promise<ListenerClients[]> {
  const read = async (name: string, family: 4 | 6) => {
    const shown = await ask(socket, `show map ${word(join(dir, `${name}-${family}.map`))}`)
    if (/^Unknown map/m.test(shown)) throw new EngineError(`HAProxy has no map ${name}: everybody is refused`)
    return rangesOfMap(shown)
  }
  const listeners = loadBalancers.flatMap(({ id, listeners: own }) => own.map(({ port }) => ({ id, port })))
  return Promise.all(
    listeners.map(async ({ id, port }) => {
      const name = clientsName(id, port)
      const families = await Promise.all([read(name, 4), read(name, 6)])
      return { id, listenerPort: port, clients: families.flat().sort() }
    }),
  )
}
