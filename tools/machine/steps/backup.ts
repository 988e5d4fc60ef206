// A backup of the living home, and its restore on a second machine: the same ids, names, addresses and keys.
import { startLoad } from '../load.ts'
import type { World } from '../scenario.ts'
import { same, stateOf } from '../state.ts'
import { answers } from './answer.ts'
import { clone } from './clone.ts'

export async function backup({ guest, memory }: World): Promise<string> {
  const load = await startLoad(guest, memory.get('localUrl') ?? '')
  await guest.root('printf "correct horse\\n" >/root/passphrase; chmod 600 /root/passphrase')
  await guest.root('polebean backup --passphrase-file /root/passphrase /root/home.polebean')
  const answered = await load.end(1)
  memory.set('state', await stateOf(guest, { built: false }))
  memory.set('backup', await guest.root('base64 -w0 /root/home.polebean'))
  const said = await guest.root(
    'stat -c "%a %U %s" /root/home.polebean; rm /root/home.polebean /root/passphrase',
  )
  const [mode, owner, bytes] = said.trim().split(' ')
  if (mode !== '600' || owner !== 'root') throw new Error(`the backup is ${mode} of ${owner}`)
  return `${bytes} bytes while ${answered} requests were answered`
}

/** What the second machine needs before: a clone and `setup`, as docs/move.md says. */
export async function prepareSecond(world: World): Promise<void> {
  const guest = await world.another('second')
  await clone({ ...world, guest, memory: new Map() })
  await guest.run(
    'cd polebean && npm run setup -- --yes </dev/null >setup.log 2>&1 || { cat setup.log >&2; exit 1; }',
  )
}

export async function restore({ another, memory }: World): Promise<string> {
  const second = await another('second')
  const at = 'polebean/bin/polebean'
  await second.root(
    'umask 077; base64 -d >/root/home.polebean; printf "correct horse\\n" >/root/passphrase',
    {
      stdin: memory.get('backup') ?? '',
    },
  )
  const wrong = await second.root(
    `printf "wrong\\n" >/root/wrong; chmod 600 /root/wrong; { ~ada/${at} restore --passphrase-file /root/wrong /root/home.polebean 2>&1 && exit 1; } || true; ls -d /var/lib/polebean 2>&1 || true`,
  )
  if (!/passphrase/.test(wrong) || !/No such file/.test(wrong))
    throw new Error(`a wrong passphrase: ${wrong}`)
  await second.root(`~ada/${at} restore --passphrase-file /root/passphrase /root/home.polebean`)
  await second.run(`${at} start </dev/null 2>start.log || { cat start.log >&2; exit 1; }`)
  await answers(second, memory)
  same(memory.get('state') ?? '', await stateOf(second, { built: false }), 'the move')
  const again = await second.root(
    `{ ~ada/${at} restore --passphrase-file /root/passphrase /root/home.polebean 2>&1 && exit 1; } || true`,
  )
  if (!/is a home already/.test(again)) throw new Error(`over a living home: ${again}`)
  await second.stop()
  return 'the same ids, names, addresses and keys'
}
