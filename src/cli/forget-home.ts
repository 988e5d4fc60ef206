// What users have of a home outside of it: the links of their folders, and the AWS profile that leads to it.
import { readFileIfAny } from '../kernel/files.ts'
import { reasonOf } from '../kernel/errors.ts'
import { invokingUser, type HomeSettings } from '../home.ts'
import { profileLeadsTo, removeProfile } from './aws-profile.ts'
import { forgetLinks } from './links.ts'
import { note } from './output.ts'

/** Of a home that is gone: ours, and under sudo those of who called it. Says what it could not remove. */
export function forgetHome(home: HomeSettings): void {
  forget(home)
  const user = invokingUser()
  const folder = homeFolder(user.uid)
  if (user.uid === process.getuid!() || !folder) return
  // As that user, since what lies in their folders may be a link to anywhere.
  const before = { HOME: process.env['HOME'], XDG_STATE_HOME: process.env['XDG_STATE_HOME'] }
  process.setegid!(user.gid)
  process.seteuid!(user.uid)
  try {
    process.env['HOME'] = folder
    delete process.env['XDG_STATE_HOME']
    forget(home)
  } finally {
    process.seteuid!(0)
    process.setegid!(0)
    for (const [name, value] of Object.entries(before))
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
  }
}

function forget({ id, ports }: HomeSettings): void {
  try {
    forgetLinks(id)
    if (profileLeadsTo(`http://127.0.0.1:${ports.api}`)) removeProfile()
  } catch (error) {
    note(`polebean: something of the home stays in ${process.env['HOME']}: ${reasonOf(error)}`)
  }
}

/** By the machine's table of users; undefined for one that is known elsewhere only. */
const homeFolder = (uid: number): string | undefined =>
  (readFileIfAny('/etc/passwd') ?? '')
    .split('\n')
    .map((line) => line.split(':'))
    .find((fields) => fields[2] === String(uid))?.[5]
