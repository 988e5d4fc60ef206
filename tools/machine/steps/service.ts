// The server as a service: systemd understands the unit; restarting, killing and stopping it fails no request; a boot
// without any network brings the same back. Afterwards it is installed and enabled, for what comes next.
import type { Guest } from '../guest.ts'
import { startLoad } from '../load.ts'
import type { World } from '../scenario.ts'
import { same, SERVER_ANSWERS, stateOf } from '../state.ts'

const POLEBEAN = 'polebean/bin/polebean'

export async function service({ guest, memory }: World): Promise<string> {
  const url = memory.get('localUrl') ?? ''
  const before = await stateOf(guest)
  await guest.run(`${POLEBEAN} service install && ${POLEBEAN} service status`)
  await guest.run('systemd-analyze verify --man=no polebean.service')
  await aloneInItsGroup(guest)
  await lastToBeTaken(guest)

  const load = await startLoad(guest, url)
  await guest.root('systemctl restart polebean.service')
  await guest.run(SERVER_ANSWERS)
  await guest.root('kill -9 $(systemctl show -P MainPID polebean.service)')
  await guest.run(`sleep 2; ${SERVER_ANSWERS}`)
  await guest.root('systemctl stop polebean.service; sleep 2; systemctl start polebean.service')
  await guest.run(SERVER_ANSWERS)
  const answered = await load.end()
  same(before, await stateOf(guest), 'restarts of the server')

  const offline = await bootWithoutNetwork(guest, url)
  await guest.run(SERVER_ANSWERS)
  same(before, await stateOf(guest), 'a boot without network')

  await guest.run(`${POLEBEAN} down`)
  await guest.run(
    '[ "$(systemctl is-active polebean)" = inactive ] && [ "$(systemctl is-enabled polebean)" = enabled ]',
  )
  await guest.run(`${POLEBEAN} start </dev/null`)
  await guest.run('[ "$(systemctl is-active polebean)" = active ]')
  await guest.run(`${POLEBEAN} service uninstall && ! ${POLEBEAN} service status`)
  await guest.run(`curl -sf -o /dev/null ${url} && ! systemctl cat polebean.service >/dev/null 2>&1`)
  await guest.run(`${POLEBEAN} service install`)
  same(before, await stateOf(guest), 'down, start, uninstall, install')
  return `${answered} requests, none failed; ${offline}`
}

async function aloneInItsGroup(guest: Guest): Promise<void> {
  const said = await guest.root(`
group=/sys/fs/cgroup$(systemctl show -P ControlGroup polebean.service)
main=$(systemctl show -P MainPID polebean.service)
for i in $(seq 60); do left=$(grep -vx "$main" $group/cgroup.procs || true); [ -z "$left" ] && break; sleep 0.5; done
for pid in $left; do tr '\\0' ' ' </proc/$pid/cmdline; echo; done
pgrep haproxy >/dev/null || echo 'no haproxy'`)
  if (said.trim() !== '') throw new Error(`in the group of the unit: ${said}`)
}

/** The kernel takes what is in an instance before any daemon of ours (oom_score_adj, proc_pid_oom_score_adj.5). */
async function lastToBeTaken(guest: Guest): Promise<void> {
  const said = await guest.root(`
show() { for pid in $2; do echo "$1 $(cat /proc/$pid/oom_score_adj)"; done; }
show server $(systemctl show -P MainPID polebean.service)
show haproxy "$(pgrep haproxy)"
show dnsmasq "$(pgrep dnsmasq)"
show gunicorn "$(pgrep gunicorn)"`)
  const scores = said
    .trim()
    .split('\n')
    .map((line) => line.split(' ') as [string, string])
  for (const name of ['server', 'haproxy', 'gunicorn'])
    if (!scores.some(([one]) => one === name)) throw new Error(`no process ${name} runs: ${said}`)
  const wrong = scores.filter(([name, score]) =>
    name === 'gunicorn' ? Number(score) < 0 : Number(score) > -500,
  )
  if (wrong.length > 0) throw new Error(`oom_score_adj is ${wrong.map((one) => one.join(' ')).join(', ')}`)
}

/** At the next boot nothing configures the network; when the environment answers, it is written down and the network comes. */
async function bootWithoutNetwork(guest: Guest, url: string): Promise<string> {
  await guest.root('cat >/etc/systemd/system/prove.service', { stdin: PROVE })
  await guest.root('cat >/usr/local/sbin/prove', { stdin: PROVE_SCRIPT.replace('URL', url) })
  await guest.root(
    'chmod 755 /usr/local/sbin/prove; systemctl daemon-reload; systemctl enable -q prove.service; ' +
      'systemctl mask -q systemd-networkd.service systemd-networkd.socket systemd-resolved.service; rm -f /var/tmp/proved',
  )
  await guest.reboot()
  const proved = await guest.run('cat /var/tmp/proved')
  await guest.root(
    'systemctl disable -q prove.service; rm -f /etc/systemd/system/prove.service /usr/local/sbin/prove /var/tmp/proved; systemctl daemon-reload',
  )
  if (!/^200 .*: \[\]$/.test(proved.trim())) throw new Error(`without a network: ${proved}`)
  return `without a network ${proved.trim()}`
}

const PROVE = `[Unit]
After=polebean.service
[Service]
Type=oneshot
ExecStart=/usr/local/sbin/prove
TimeoutStartSec=300
[Install]
WantedBy=multi-user.target
`
const PROVE_SCRIPT = `#!/bin/sh
for i in $(seq 480); do
  code=$(curl -s -m 5 -o /dev/null -w '%{http_code}' URL)
  [ "$code" = 200 ] && break
  sleep 0.5
done
echo "$code $(cut -d. -f1 /proc/uptime) s after boot, routes and resolvers: [$(ip route show default; cat /run/systemd/resolve/resolv.conf 2>/dev/null)]" >/var/tmp/proved
systemctl unmask systemd-networkd.service systemd-networkd.socket systemd-resolved.service
systemctl start --no-block systemd-networkd.service systemd-resolved.service
`
