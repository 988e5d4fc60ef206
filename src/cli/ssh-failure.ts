// What went wrong on the way to another machine, as sentences. The texts are OpenSSH's and the shell's of the machine there.

/** Why ssh itself (exit status 255) did not get there. */
export function whyNoConnection(destination: string, stderr: string): string {
  const [, host, reason] = /^ssh: Could not resolve hostname ([^:]*): (.*?)\r?$/m.exec(stderr) ?? []
  if (host !== undefined) return `ssh does not know the host ${host}: ${reason}`
  if (/REMOTE HOST IDENTIFICATION HAS CHANGED/.test(stderr))
    return (
      `the host key of ${destination} is not the one that ssh knows: it is another machine, or was set up anew. ` +
      'Only if you know why, forget the old key with: ssh-keygen -R HOST'
    )
  if (/Host key verification failed/.test(stderr))
    return `ssh does not know the host key of ${destination}; log in once by hand and accept it: ssh ${destination}`
  if (/Permission denied/.test(stderr))
    return (
      `${destination} does not let you in (${lastLine(stderr)}); ` +
      `try by hand: ssh ${destination}, or name a key with: --ssh-option IdentityFile=FILE`
    )
  const [, refused] = /^ssh: connect to host \S+ port \d+: (.*?)\r?$/m.exec(stderr) ?? []
  if (refused !== undefined) return `ssh does not reach ${destination}: ${refused}`
  if (
    /Bad configuration option|garbage at end of line|unsupported option|no argument after keyword/.test(
      stderr,
    )
  )
    return `ssh does not know an option that it was given: ${lastLine(stderr)}`
  return `ssh to ${destination} failed: ${lastLine(stderr) || 'it says nothing; try by hand with: ssh -v'}`
}

/** Why `polebean env --json` did not succeed there. */
export function whyNoFacts(
  destination: string,
  polebean: string,
  { status, stderr }: { status: number; stderr: string },
): string {
  if (status === 126) return `${polebean} on ${destination} cannot be run: ${lastLine(stderr)}`
  if (status === 127)
    return (
      `there is no ${polebean} on ${destination}; name it with --remote-polebean PATH` +
      ` (the bin/polebean of the clone there), or put it on the PATH that ssh sees`
    )
  const said = /^polebean: (.*)$/ms.exec(stderr)?.[1]?.trim()
  return `${destination} says: ${said ?? (lastLine(stderr) || `${polebean} ended with status ${status}`)}`
}

/** Whether another user there, root, may read what this one may not. */
export const isForRoot = (stderr: string): boolean => /belongs to another user|EACCES/.test(stderr)

/** Why `sudo -n` there did not run it; undefined when it did. */
export function whyNoSudo(
  destination: string,
  { status, stderr }: { status: number; stderr: string },
): string | undefined {
  if (status !== 127 && !/^sudo: |not in the sudoers|not allowed to/m.test(stderr)) return undefined
  return (
    `the access key on ${destination} belongs to another user there, and sudo does not help: ${lastLine(stderr)}; ` +
    'log in as the user who started Polebean, or as root'
  )
}

const lastLine = (text: string) => text.trim().split('\n').at(-1)?.trim() ?? ''
