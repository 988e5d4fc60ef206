// The door on this machine: a HAProxy of its own at the metadata address, in the router's namespace, that hands questions
// to the control plane. Apart from the balancer's, so that instances never take a connection or a moment from the clients
// of a load balancer, and a change there never touches this one (decision 015).
import { join } from 'node:path'
import type { Clock } from '../../kernel/clock.ts'
import type { Home } from '../../kernel/home.ts'
import type { Log } from '../../kernel/log.ts'
import { makeHaproxyProcess } from '../balancer/haproxy-process.ts'
import { userIfAny } from '../balancer/user.ts'
import type { Supervisor } from '../supervisor/engine.ts'
import { renderDoor, SOCKET } from './config.ts'
import type { MetadataDoor } from './engine.ts'
import { listen } from './listener.ts'

type Deps = {
  clock: Clock
  log: Log
  home: Pick<Home, 'dir' | 'runDir'>
  supervisor: Supervisor
  /** `Router` is one. */
  network: { names: { router: string }; execIn(namespace: string, argv: string[]): string[] }
}

export const METADATA_DAEMON = 'metadata'
const FILES_MAX = 4_500

export function makeMetadataDoor({ clock, log, home, supervisor, network }: Deps): MetadataDoor {
  const dir = join(home.runDir, METADATA_DAEMON)
  const { router } = network.names
  const haproxy = makeHaproxyProcess({
    ...{ name: METADATA_DAEMON, clock, log, supervisor, dir, filesMax: FILES_MAX, namespace: router },
    logDir: join(home.dir, 'log', METADATA_DAEMON),
    wrap: (argv) => network.execIn(router, argv),
  })
  const user = userIfAny('haproxy')
  return {
    async ensure() {
      const { frame, files } = renderDoor({ dir, user })
      const following = await haproxy.settled()
      if (following?.frame === frame) return
      await haproxy.check((folder) => renderDoor({ dir: folder, user }).files)
      if (following) await haproxy.reload(files, frame)
      else {
        haproxy.write(files)
        await haproxy.start(frame)
      }
      log.info('instances are told of themselves', { frame })
    },
    async open(answer) {
      haproxy.write(new Map())
      return listen({ clock, log }, join(dir, SOCKET), answer)
    },
  }
}
