// PID 1 of an instance (design §5): runs runit's services, and on TERM stops them in the order of their names, each with
// time to end its work. runsvdir alone as PID 1 would leave them no grace. The engine ends what takes too long.
export const initScript = `#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8
exec >>/var/log/init.log 2>&1 </dev/null
# Waits until a service is down, at most $2 twentieths of a second; \`sv -w\` itself looks only every 0.4 seconds.
await_down() {
  left=$2
  while [ "$left" -gt 0 ] && read -r state <"$1/supervise/stat" && [ "\${state%%,*}" != down ]; do
    sleep 0.05
    left=$((left - 1))
  done
}
stop() {
  # The next service is told after this one ended, or after three seconds; all are waited for at the end.
  for service in /etc/service/*; do sv down "$service" && await_down "$service" 60; done
  for service in /etc/service/*; do await_down "$service" 72000; done
  kill -HUP "$supervisor"
}
trap stop TERM
runsvdir -P /etc/service &
supervisor=$!
# A trapped signal ends wait early; wait also reaps whatever the services left behind.
while kill -0 "$supervisor" 2>/dev/null; do wait "$supervisor"; done
`

/** PID 1 of a sandbox that only others run programs in: it waits and reaps. */
export const idleArgv = ['/bin/sh', '-c', 'trap "exit 0" TERM; while :; do sleep 3600 & wait $!; done']
