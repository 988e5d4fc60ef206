// What every HAProxy of a home has in its configuration, whatever it carries: as the lines of its file.
import { digest } from './names.ts'
import { LINE_BYTES_MAX } from './request-lines.ts'

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
  `  log stdout len ${LINE_BYTES_MAX} format raw local0`,
]

export const commonDefaultsLines: readonly string[] = [
  'defaults',
  '  mode http',
  // A worker that was replaced takes one more request on a kept connection instead of closing it under the client.
  '  option idle-close-on-response',
  '  retries 3',
  '  timeout connect 5s',
]

/** A line for what failed, was retried or took another target. */
export const failureLogLines: readonly string[] = [
  '  log global',
  '  option httplog',
  '  option dontlog-normal',
  '  option dontlognull',
]

/** Names a configuration, given without its name. Of where it lies it says nothing, so that a check in another folder has the
 *  same. */
export const frameOf = (unnamed: string, dir: string): string => digest(unnamed.replaceAll(dir, ''), 16)
