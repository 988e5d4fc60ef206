// `doctor`: each engine found, its version, whether it works here, and what of this machine would be in the way.
import { accessSync, constants } from 'node:fs'
import { describeThings } from '../../engines/orphans/find.ts'
import { checkClients } from '../doctor/clients.ts'
import { checkHome } from '../doctor/home.ts'
import { EXIT } from '../failure.ts'
import { findOrphans } from '../orphans.ts'
import { paint, print, printJson } from '../output.ts'
import { checkKernel, checkPrograms, checkRights, type Check } from '../requirements.ts'

/** Exit status 0 when everything works, 1 when something does not. */
export async function doctor(homeDir: string, { json }: { json?: boolean }): Promise<number> {
  const checks = [
    ...(await checkPrograms()),
    ...machine(),
    ...(await checkClients()),
    ...(await checkHome(homeDir)),
    await checkOrphans(homeDir),
  ]
  if (json) printJson(checks)
  else
    for (const { name, ok, saw } of checks)
      print(`${ok ? paint('Green', 'ok  ') : paint('Red', 'NO  ')} ${name.padEnd(16)} ${saw}`)
  return checks.every((one) => one.ok) ? EXIT.ok : EXIT.failed
}

async function checkOrphans(homeDir: string): Promise<Check> {
  const name = 'orphans'
  const { homes } = await findOrphans(homeDir)
  if (homes.length === 0) return { name, ok: true, saw: 'none' }
  const saw = homes
    .map((things) => `of home ${things.id}, whose folder is gone: ${describeThings(things)}`)
    .join('; ')
  return { name, ok: false, saw: `${saw} (polebean down --orphans)` }
}

function machine(): Check[] {
  const root = process.getuid!() === 0
  return [
    {
      name: 'root',
      ok: root || canSudo(),
      saw: root ? 'yes' : canSudo() ? 'by sudo' : 'no, and there is no sudo',
    },
    ...(root ? [checkRights()] : []),
    // What only root may write to tells another nothing.
    ...checkKernel().filter(({ name }) => root || !['cgroups', 'loop devices'].includes(name)),
  ]
}

const canSudo = () => {
  try {
    accessSync('/usr/bin/sudo', constants.X_OK)
    return true
  } catch {
    return false
  }
}
