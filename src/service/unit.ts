// The systemd unit of a home, and the file with its environment, as text (systemd.unit.5, systemd.service.5,
// systemd.exec.5). Decision 007 says why each setting is there.
import { DEFAULT_HOME } from '../home.ts'
import { EngineError } from '../kernel/errors.ts'

export type UnitHome = { dir: string; id: string }

/** `polebean.service` for the default home, else by the home's id, so that each home of a machine may have one. */
export const unitNameOf = ({ dir, id }: UnitHome): string =>
  dir === DEFAULT_HOME ? 'polebean.service' : `polebean-${id}.service`

/** Where a unit's environment is kept: in the home, since tokens and passwords may be among it. */
export const environmentFileOf = (home: Pick<UnitHome, 'dir'>): string => `${home.dir}/service.env`

const MARK = '# Written by `polebean service install`.'

/** Whether the text of a unit is one that `renderUnit` has written, this version's or another's. */
export const isOurs = (text: string): boolean => text.startsWith(MARK)

/** `program`: the command line that the unit runs, `bin/polebean`. Throws a sentence on a path that systemd cannot take. */
export function renderUnit(home: UnitHome, program: string): string {
  for (const path of [home.dir, program]) checkPath(path)
  const unit = unitNameOf(home)
  const [dir, runs] = [home.dir, program].map(escapeSpecifiers) as [string, string]
  return `${MARK} It writes it again; what you want
# otherwise goes beside it: systemctl edit ${unit}
[Unit]
Description=Polebean (${dir})
# After what loads a firewall's rules, but not after the network: without one everything that runs here starts as well.
After=network-pre.target
RequiresMountsFor="${dir}" "${runs}"
# It is never given up: what is in the way today (a full disk, a taken port) may be gone tomorrow.
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStart=":${runs}" server --home "${dir}"
EnvironmentFile=-${environmentFileOf({ dir })}
Environment=LC_ALL=C.UTF-8
Restart=always
RestartSec=1s
RestartPreventExitStatus=2
# Instances, load balancer and resolver are in control groups of their own and outlive the server, however it ends.
KillMode=process
TimeoutStopSec=30s
OOMPolicy=continue
OOMScoreAdjust=-900

[Install]
WantedBy=multi-user.target
`
}

/** A file for EnvironmentFile=. */
export function renderEnvironment(environment: Record<string, string>): string {
  return Object.entries(environment)
    .map(([name, value]) => `${name}="${value.replaceAll(/["\\$`]/g, '\\$&')}"\n`)
    .join('')
}

const escapeSpecifiers = (path: string) => path.replaceAll('%', '%%')

// What would mean something to systemd: quotes and escapes, patterns in EnvironmentFile=, ends of lines.
function checkPath(path: string): void {
  const odd = /["'\\*?[\]\p{Cc}]/u.exec(path)?.[0]
  if (odd !== undefined)
    throw new EngineError(
      `a systemd unit cannot name ${path}: there is ${JSON.stringify(odd)} in it; use a folder without`,
    )
}
