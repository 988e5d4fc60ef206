// User data: a script that runs once, at the first boot of its instance, as the instance's root (cloud-init's user scripts).
import type { InstanceFile } from '../../engines/compute/engine.ts'
import { DeclaredError } from '../../kernel/errors.ts'
import { unsupported } from './errors.ts'

/** AWS: "limited to 16 KB, in raw form, before it is base64-encoded". */
const BYTES_MAX = 16 * 1024

/** Answers the base64 as it is kept; null for none. Throws for what is not base64, too long, or no script. AWS has a code of
 *  its own for what is no base64 in a launch template. */
export function checkUserData(base64: string | undefined, code = 'InvalidParameterValue'): string | null {
  if (!base64) return null
  const text = base64.replace(/[\r\n]/g, '')
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 !== 0)
    throw new DeclaredError(code, 'Invalid BASE64 encoding of user data')
  const bytes = Buffer.from(text, 'base64')
  if (bytes.length > BYTES_MAX)
    throw new DeclaredError('InvalidParameterValue', `User data is limited to ${BYTES_MAX} bytes`)
  const isScript = bytes.toString('latin1', 0, 2) === '#!'
  const isText = !bytes.includes(0) && Buffer.from(bytes.toString()).equals(bytes)
  // #cloud-config, MIME archives and the like want a cloud-init, which instances do not have.
  if (!isScript || !isText) throw unsupported('UserData that is not a script in UTF-8 which begins with #!')
  return text
}

const SCRIPT = '/var/lib/cloud/instance/scripts/part-001'
const DONE = '/var/lib/cloud/instance/sem/config_scripts_user'
const LOG = '/var/log/cloud-init-output.log'

/** What is laid into an instance for its user data: the script, and a service of runit that runs it once. */
export function userDataFiles(base64: string | null): InstanceFile[] {
  if (base64 === null) return []
  const content = Buffer.from(base64, 'base64').toString()
  return [
    { path: SCRIPT, content, mode: 0o700, owner: 'root' },
    { path: '/etc/service/user-data/run', content: RUN, mode: 0o755, owner: 'root' },
  ]
}

// As in cloud-init it counts as done once it has begun: what a reboot interrupts is not run again.
const RUN = `#!/bin/sh
sv once /etc/service/user-data
[ -e ${DONE} ] && exit 0
mkdir -p ${DONE.slice(0, DONE.lastIndexOf('/'))}
: >${DONE}
exec >>${LOG} 2>&1 </dev/null
cd /
export HOME=/root
exec ${SCRIPT}
`
