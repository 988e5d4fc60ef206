// Removes what tests left whose process has ended: their homes, namespaces, processes, folders. Only what a dead process
// claimed, so that another run beside this one is not disturbed. Prints a line each.
import { existsSync, lstatSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { makeRouter } from '../../src/engines/network/router.ts'
import { abandonedClaims } from '../../src/engines/test-claims.ts'
import { claimedPorts, readHome, type HomeSettings } from '../../src/home.ts'
import { releasePorts } from '../../src/home-ports.ts'
import { runProgram } from '../../test/support/home.ts'
import { reboot } from '../../test/support/world.ts'

const polebean = join(import.meta.dirname, '../../bin/polebean')

for (const { dir, id, forget } of abandonedClaims()) {
  // Gone, and perhaps made anew by somebody else: nothing there is a test's.
  if (lstatSync(dir, { throwIfNoEntry: false })?.uid !== process.getuid!()) {
    forget()
    continue
  }
  for (const home of homesIn(dir, id)) await end(home)
  for (const mount of mountsBelow(dir)) await runProgram(['umount', '-l', mount])
  rmSync(dir, { recursive: true, force: true })
  forget()
  console.log(`removed what a test left in ${dir}`)
}

/** The home below `dir` (of an end-to-end test), or the one that a test of an engine made without home.json. */
function homesIn(dir: string, id: string | null): HomeSettings[] {
  const folders = existsSync(dir) ? readdirSync(dir, { withFileTypes: true }) : []
  const homes = folders.flatMap((each) => (each.isDirectory() ? (readHome(join(dir, each.name)) ?? []) : []))
  if (id === null) return homes
  return [
    {
      id,
      dir,
      runDir: `/run/polebean/${id}`,
      idBase: 0,
      cidr: '10.255.0.0/16',
      ports: { api: 0, http: 0, environments: 0, dns: 0 },
      region: '',
      account: '',
      domain: '',
      chosen: { ports: { api: 0, http: 0 }, domain: '', cidr: '10.255.0.0/16' },
    },
  ]
}

/** The innermost first. */
function mountsBelow(dir: string): string[] {
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n')
  return mounts
    .flatMap((line) => line.split(' ')[1] ?? [])
    .filter((path) => path.startsWith(`${dir}/`))
    .reverse()
}

async function end(home: HomeSettings): Promise<void> {
  const env = { POLEBEAN_HOME: home.dir, HOME: join(home.dir, '..') }
  const down = existsSync(join(home.dir, 'home.json'))
    ? await runProgram([polebean, 'down', '--purge', '--force'], { env, timeoutMs: 60_000 })
    : { status: 1 }
  if (down.status === 0) return
  await reboot(home) // ends and removes by the home's id alone
  await runProgram(['ip', 'netns', 'del', `pb-${home.id}-t`]) // where tests of the balancer keep their targets
  await makeRouter(home).remove()
  releasePorts(claimedPorts(home), home.dir)
  console.log(`ended ${basename(home.dir)} (id ${home.id}) without its engines`)
}
