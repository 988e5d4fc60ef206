// What every HAProxy of a home has in its configuration, whatever it carries: as the lines of its file.
import { digest } from './names.ts'

/** `frame` names the configuration, so that a running HAProxy can be asked which one it follows. */
export type ProcessLimits = {
  frame: string
  threads: number
  connectionsMax: number
  /** Where its files and sockets lie; needs no quoting. */
  dir: string
  /** It drops root for this user and group; null = it stays what it is. */
  user: { name: string; group: string } | null
}

export const commonGlobalLines = ({ frame, threads, connectionsMax, dir, user }: ProcessLimits): string[] => [
  'global',
  `  node polebean-${frame}`,
  `  nbthread ${threads}`,
  `  maxconn ${connectionsMax}`,
  // Another program that listens on the same port must be an error, and not get half of the connections.
  '  noreuseport',
  // Workers of former configurations live as long as their WebSockets, at most this long.
  '  hard-stop-after 300s',
  '  mworker-max-reloads 200',
  ...(user ? [`  user ${user.name}`, `  group ${user.group}`, `  chroot ${dir}/empty`] : []),
  `  stats socket ${dir}/admin.sock mode 600 level admin expose-fd listeners`,
  '  log stdout format raw local0',
]

export const commonDefaultsLines: readonly string[] = [
  'defaults',
  '  mode http',
  '  log global',
  '  option httplog',
  // A line for what failed, was retried or took another target; a line for each request would cost a tenth of the speed.
  '  option dontlog-normal',
  '  option dontlognull',
  // A worker that was replaced takes one more request on a kept connection instead of closing it under the client.
  '  option idle-close-on-response',
  '  retries 3',
  '  timeout connect 5s',
]

/** Names a configuration, given without its name. Of where it lies it says nothing, so that a check in another folder has the
 *  same. */
export const frameOf = (unnamed: string, dir: string): string => digest(unnamed.replaceAll(dir, ''), 16)
