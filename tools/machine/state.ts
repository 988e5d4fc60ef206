// What must be the same after a restart, a reboot or a move, as lines: ids, names, versions, addresses, keys.
import type { Guest } from './guest.ts'

/** `built`: also the inodes of the dependency layers, which are others when they were built again. `name`: of one alone. */
export const stateOf = (guest: Guest, { built = true, name = '' } = {}): Promise<string> =>
  guest.root(`/usr/bin/python3 - ${built ? 'built' : 'rows'} ${name}`, { stdin: PROGRAM })

export function same(before: string, now: string, after: string): void {
  if (before === '') throw new Error('there is no state to compare with')
  if (before !== now) throw new Error(`${after} changed\n${before}\nto\n${now}`)
}

/** Lines of sh: waits until the server of the default home answers. */
export const SERVER_ANSWERS =
  'for i in $(seq 300); do curl -s -m 5 -o /dev/null http://127.0.0.1:4777/healthz && break; sleep 0.5; done; ' +
  'curl -sS -o /dev/null http://127.0.0.1:4777/healthz'

// The database belongs to the server alone (it is locked), so a copy is read: its log replays over it.
const PROGRAM = `
import hashlib, os, shutil, sqlite3, sys, tempfile
home = '/var/lib/polebean'
of = sys.argv[2] if len(sys.argv) > 2 else '%'
def rows():
    with tempfile.TemporaryDirectory() as folder:
        for end in ('', '-wal'):
            if os.path.exists('%s/polebean.db%s' % (home, end)):
                shutil.copy('%s/polebean.db%s' % (home, end), folder)
        store = sqlite3.connect(folder + '/polebean.db')
        # A difference is printed, a secret never.
        store.create_function('digest', 1, lambda text: hashlib.sha256(text.encode()).hexdigest())
        for query in (
            '''select id, name, version_label, cname_prefix, loopback_port, status from environment
               where terminated_at is null and name like ? order by id''',
            '''select i.id, i.instance_type, i.state, n.address from environment e
               join environment_instance m on m.environment_id = e.id join ec2_instance i on i.id = m.instance_id
               join ec2_network_interface n on n.instance_id = i.id
               where e.terminated_at is null and n.released_at is null and e.name like ? order by i.id''',
            "select id, digest(secret), status from iam_access_key where '' <> ? order by id",
        ):
            for row in store.execute(query, (of,)):
                yield ' '.join(map(str, row))
print('\\n'.join(rows()))
if sys.argv[1] == 'built':
    layers = os.path.join(home, 'layers')
    for name in sorted(os.listdir(layers)):
        print(os.stat(os.path.join(layers, name)).st_ino, name)
`
