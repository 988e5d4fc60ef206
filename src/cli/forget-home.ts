// What users have of a home outside of it: the links of their folders, and the AWS profile that leads to it.
import { readFileIfAny } from '../kernel/files.ts'
import { reasonOf } from '../kernel/errors.ts'
import { invokingUser, type HomeSettings } from '../home.ts'
import { profileLeadsTo, removeProfile } from './aws-profile.ts'
import { forgetLinks } from './links.ts'
import { note } from './output.ts'

/** Of a home that is gone: ours, and under sudo those of who called it. Says what it could not remove. */
export function forgetHome(home: HomeSettings): void {
  const user = invokingUser()
  if (user.uid === process.getuid!()) return forget(home)
  const before = Object.fromEntries(PLACES.map((name) => [name, process.env[name]]))
  try {
    // Root's own first. What sudo kept of the user's environment leads into folders of theirs.
    enter(homeFolder(0))
    forget(home)
    const folder = homeFolder(user.uid)
    if (!folder) return
    // As that user, since what lies in their folders may be a link to anywhere.
    process.setegid!(user.gid)
    process.seteuid!(user.uid)
    enter(folder)
    forget(home)
  } finally {
    process.seteuid!(0)
    process.setegid!(0)
    for (const [name, value] of Object.entries(before))
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
  }
}

const PLACES = ['HOME', 'XDG_STATE_HOME', 'AWS_CONFIG_FILE', 'AWS_SHARED_CREDENTIALS_FILE']

function enter(folder: string | undefined): void {
  for (const name of PLACES) delete process.env[name]
  if (folder) process.env['HOME'] = folder
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
