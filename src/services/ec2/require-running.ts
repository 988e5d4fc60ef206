// Whether a session can be opened in an instance, and what to do when it cannot.
import { DeclaredError } from '../../kernel/errors.ts'
import type { Store } from '../../store/store.ts'
import { noInstance } from './errors.ts'
import type { InstanceRow } from './store.ts'

export function requireRunning(store: Store, id: string): void {
  const row = store.get<InstanceRow>('select * from ec2_instance where id = :id', { id })
  if (!row) {
    if (noInstance([id]).code.endsWith('Malformed'))
      throw refusal(
        `${JSON.stringify(id.slice(0, 40))} is not the id of an instance; it looks like i-0123456789abcdef0`,
      )
    throw refusal(`there is no instance ${id}; those that there are: polebean firewall`)
  }
  if (row.state === 'running') return
  const hints: { [state: string]: string } = {
    pending: 'wait until it runs',
    stopping: 'start it again once it has stopped',
    stopped: `start it with: polebean exec -- aws ec2 start-instances --instance-ids ${id}`,
    'shutting-down': `what it logged: polebean logs --instance ${id}`,
    terminated: `what it logged: polebean logs --instance ${id}`,
  }
  throw refusal(`${id} is ${row.state}; ${hints[row.state] ?? ''}`)
}

const refusal = (message: string) => new DeclaredError('IncorrectInstanceState', message)
