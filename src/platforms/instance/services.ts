// The runit services of an instance: the application's processes, nginx, and the rotation of their logs.
// What PID 1 finds under /etc/service it keeps running, also while the control plane is dead (design §5).
import type { InstanceFile } from '../../engines/compute/engine.ts'
import { APP_DIR } from '../plan.ts'
import type { Process } from '../procfile.ts'

const LOG_BYTES_MAX = 10 << 20
const ROTATE_EVERY_SECONDS = 30
/** nginx's healthd logs are one file an hour; the agent reads the latest. */
const HEALTHD_KEPT_MINUTES = 120

/** `env` is the whole environment of the process: nothing is inherited. */
export function processService({ name, command }: Process, env: Record<string, string>): InstanceFile[] {
  const log = logPath(name)
  // 0700: the environment may hold secrets. `env -i` takes names that no shell can export (`a.b`), and leaves the
  // values exactly as they are. chpst -P makes a process group, so that whatever the process left is ended with it.
  const run = `#!/bin/sh
mkdir -p /var/pids /run/polebean
touch ${log} && chown webapp ${log} && exec >>${log} 2>&1
echo $$ >/var/pids/${name}.pid
cd ${APP_DIR} || exit 1
exec env -i ${environmentWords(env)} \\
  chpst -P -u webapp /bin/sh -c ${quote(replacesShell(command) ? `exec ${command}` : command)}
`
  const finish = `#!/bin/sh
kill -KILL "-$(cat /var/pids/${name}.pid)" 2>/dev/null
deaths=$(cat /run/polebean/${name}.deaths 2>/dev/null)
echo $((\${deaths:-0} + 1)) >/run/polebean/${name}.deaths
how="with exit status $1"
[ "$1" = -1 ] && how="by signal $2"
echo "[polebean] the process '${name}' ended $how" >>${log}
`
  // runsv tells only the process itself; a shell in front of the real one would keep it to itself.
  const terminate = `#!/bin/sh
kill -TERM "-$(cat /var/pids/${name}.pid)"
`
  return [file(name, 'run', run), file(name, 'finish', finish), file(name, 'control/t', terminate)]
}

export function nginxService(): InstanceFile[] {
  const run = `#!/bin/sh
mkdir -p /var/log/nginx/healthd /run/nginx
chown nginx /var/log/nginx/healthd /run/nginx
exec env -i PATH=/usr/sbin:/usr/bin nginx -c /etc/nginx/nginx.conf -g 'daemon off;' 2>>/var/log/nginx/error.log
`
  // QUIT lets requests under way end; TERM would cut them.
  const terminate = `#!/bin/sh
exec kill -QUIT "$(cat supervise/pid)"
`
  return [file('nginx', 'run', run), file('nginx', 'control/t', terminate)]
}

// The writers hold their files open in append mode: copy and truncate needs no signal to anybody. A copy for which the
// disk has no room is given up, so that a log that filled the disk makes room again.
export function rotateService(): InstanceFile[] {
  const run = `#!/bin/sh
cd /var/log || exit 1
while sleep ${ROTATE_EVERY_SECONDS}; do
  find . -xdev -path ./nginx/healthd -prune -o -type f -name '*.log' -size +${LOG_BYTES_MAX / 1024}k -print |
    while IFS= read -r log; do
      cp -- "$log" "$log.1" || rm -f -- "$log.1"
      : >"$log"
    done
  find ./nginx/healthd -xdev -type f -size +${LOG_BYTES_MAX / 1024}k 2>/dev/null |
    while IFS= read -r log; do : >"$log"; done
  find ./nginx/healthd -xdev -type f -mmin +${HEALTHD_KEPT_MINUTES} -delete 2>/dev/null
done
`
  return [file('rotate', 'run', run)]
}

export const logPath = (name: string) => `/var/log/${name}.stdout.log`

/** One word for the shell, whatever is in it. */
export const quote = (word: string) => `'${word.replaceAll("'", `'\\''`)}'`

const SHELL_WORDS =
  /^(?:\.|:|!|\[|alias|break|case|cd|command|continue|eval|exec|exit|export|for|if|read|readonly|return|set|shift|source|time|times|trap|ulimit|umask|unset|until|wait|while)$/

// The shell that reads a plain command need not stay in memory in front of it.
function replacesShell(command: string): boolean {
  const [first = ''] = command.split(/\s+/)
  return /^[A-Za-z0-9_./-]+$/.test(first) && !SHELL_WORDS.test(first) && !/[;&|<>(){}`\n]/.test(command)
}

const environmentWords = (env: Record<string, string>) =>
  Object.entries(env)
    .map(([key, value]) => quote(`${key}=${value}`))
    .join(' ')

const file = (service: string, path: string, content: string): InstanceFile => ({
  path: `/etc/service/${service}/${path}`,
  content,
  mode: 0o700,
  owner: 'root',
})
