// Another machine, as far as ssh can tell: a real sshd on a loopback port, with host key, user key and configuration of its
// own. Nothing of the system's is read or changed.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { claim } from '../../engines/test-claims.ts'
import { freePort } from '../../kernel/test-ports.ts'

const SSHD = '/usr/sbin/sshd'
const PRIVILEGES = '/run/sshd'

export const hasSshd = (): boolean => existsSync(SSHD)

export type SshServer = Awaited<ReturnType<typeof startSshServer>>

/** `settings` are further lines of its configuration. */
export async function startSshServer(settings: string[] = []) {
  const dir = mkdtempSync(join(tmpdir(), 'pb-sshd-'))
  chmodSync(dir, 0o755)
  const isRoot = process.getuid!() === 0
  const unclaim = isRoot ? claim(dir) : () => undefined
  for (const name of ['host', 'user', 'other']) {
    const argv = ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', join(dir, name)]
    const { status, stderr } = spawnSync('ssh-keygen', argv, { encoding: 'utf8' })
    if (status !== 0) throw new Error(`ssh-keygen: ${stderr}`)
  }
  const port = await freePort()
  // sshd wants this folder when it is root.
  if (isRoot) mkdirSync(PRIVILEGES, { recursive: true, mode: 0o755 })
  writeFileSync(join(dir, 'keys'), readFileSync(join(dir, 'user.pub')), { mode: 0o600 })
  writeFileSync(
    join(dir, 'known'),
    `[127.0.0.1]:${port} ${readFileSync(join(dir, 'host.pub'), 'utf8').split(' ').slice(0, 2).join(' ')}\n`,
  )
  writeFileSync(
    join(dir, 'config'),
    [
      ...settings,
      `ListenAddress 127.0.0.1:${port}`,
      `HostKey ${join(dir, 'host')}`,
      `AuthorizedKeysFile ${join(dir, 'keys')}`,
      `PidFile none`,
      'StrictModes no',
      'UsePAM no',
      'PermitRootLogin yes',
      'PasswordAuthentication no',
      'KbdInteractiveAuthentication no',
      '',
    ].join('\n'),
  )
  // It ends with the test, also when that is killed.
  const argv = ['--pdeathsig', 'TERM', SSHD, '-D', '-e', '-f', join(dir, 'config')]
  const daemon = spawn('setpriv', argv, { stdio: ['ignore', 'ignore', 'pipe'] })
  let log = ''
  daemon.stderr.setEncoding('utf8').on('data', (chunk: string) => (log += chunk))
  while (!(await connects(port))) {
    if (daemon.exitCode !== null) throw new Error(`sshd does not start: ${log}`)
    await sleep(20)
  }
  const options = [
    `Port=${port}`,
    `UserKnownHostsFile=${join(dir, 'known')}`,
    `IdentityFile=${join(dir, 'user')}`,
    'IdentitiesOnly=yes',
    'IdentityAgent=none',
    'BatchMode=yes',
  ]
  return {
    dir,
    port,
    /** For `exec`: the machine, and what leads ssh to it. */
    destination: `${userInfo().username}@127.0.0.1`,
    args: (...more: string[]) => [
      'exec',
      '--ssh',
      `${userInfo().username}@127.0.0.1`,
      ...[...more, ...options].flatMap((one) => ['--ssh-option', one]),
    ],
    /** Connections that are open at this moment. */
    connections: () => childrenOf(daemon).length,
    /** Ends the connections that are open, and lets others come. */
    cut: () => childrenOf(daemon).forEach((pid) => process.kill(Number(pid))),
    async end() {
      const over = once(daemon, 'exit')
      daemon.kill()
      await over
      rmSync(dir, { recursive: true, force: true })
      unclaim()
    },
  }
}

const childrenOf = ({ pid }: ChildProcess): string[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean)

const connects = (port: number) =>
  new Promise<boolean>((answer) => {
    const socket = createConnection({ host: '127.0.0.1', port })
    socket.on('connect', () => answer(true)).on('error', () => answer(false))
    socket.on('connect', () => socket.destroy())
  })

/** On loopback, at this moment. */
