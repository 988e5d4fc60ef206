// What contrib/ ships, tried on a machine that is thrown away: Lima's provisioning makes a bare Debian ready for a clone, and
// the Dockerfile's container, built and started by the commands in its head, answers; and again after a restart.
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { importBase } from '../container.ts'
import { introduce } from '../guest.ts'
import type { World } from '../scenario.ts'
import { bring } from './clone.ts'

const read = (file: string) => readFileSync(new URL(`../../../contrib/${file}`, import.meta.url), 'utf8')

export async function elsewhere({ another, cache }: World): Promise<string> {
  const guest = await another('elsewhere')
  await introduce(guest)
  await guest.root(
    'apt-get -qq update; apt-get -qq -y purge nodejs npm git >/dev/null; apt-get -qq -y autoremove --purge >/dev/null',
  )
  // Lima runs it at each boot; the second time there is nothing to do.
  for (let boot = 0; boot < 2; boot += 1)
    await guest.root('cat >/tmp/provision; chmod 755 /tmp/provision; /tmp/provision; rm /tmp/provision', {
      stdin: provision(read('lima.yaml')),
    })
  await bring(guest)
  await guest.root(
    // apparmor is recommended by docker.io, and without it no container starts where the kernel has AppArmor on. Debian 13
    // has the client in a package of its own.
    `client=$(apt-cache show docker-cli >/dev/null 2>&1 && echo docker-cli || true)
     apt-get -qq -y install --no-install-recommends docker.io $client apparmor >/dev/null 2>&1; docker version >/dev/null`,
  )
  await importBase(guest, cache)
  for (const command of commands(read('Dockerfile')).filter((one) => !one.includes(' exec ')))
    await guest.root(
      `cd ~ada/polebean; ${command} >/tmp/docker.log 2>&1 || { tail -n 40 /tmp/docker.log >&2; exit 1; }`,
    )
  const up = commands(read('Dockerfile')).find((one) => one.includes(' exec '))!
  const url = await firstUrl(
    guest.root(
      `${UNTIL_READY}; ${up} </dev/null 2>/tmp/up.log || { tail -n 40 /tmp/up.log >&2; docker logs --tail 40 polebean >&2; exit 1; }`,
    ),
  )
  const answers = `for i in $(seq 120); do curl -sf -m 10 -o /dev/null ${url} && exit 0; sleep 2; done; docker logs --tail 40 polebean >&2; exit 1`
  await guest.root(answers)
  await guest.root('docker restart -t 30 polebean >/dev/null')
  await guest.root(answers)
  await guest.stop()
  return 'provisioned as by Lima; a container with Docker, 200, restarted, 200'
}

/** What the machine's provisioning runs as root. */
function provision(yaml: string): string {
  const { provision = [] } = parse(yaml) as { provision?: { mode: string; script: string }[] }
  const [only, ...more] = provision
  if (only?.mode !== 'system' || more.length > 0) throw new Error('lima.yaml provisions in another way')
  return only.script
}

/** The commands in the head of the Dockerfile. */
const commands = (dockerfile: string): string[] =>
  [...dockerfile.matchAll(/^# {3}(docker .*)$/gm)].map(([, one]) => one!)

const UNTIL_READY =
  'for i in $(seq 150); do docker exec polebean polebean status >/dev/null 2>&1 && break; sleep 2; done'

async function firstUrl(said: Promise<string>): Promise<string> {
  const text = await said
  const url = /^http:\S+$/m.exec(text)?.[0]
  if (!url) throw new Error(`no URL: ${text}`)
  return url
}
