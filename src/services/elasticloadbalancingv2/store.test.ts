import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { openStore } from '../../store/store.ts'
import { elasticloadbalancingv2Migrations as migrations, targetsOf, updateTarget } from './store.ts'

it('the targets of an older home are kept, and can become unavailable', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'elbv2-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const older = openStore(join(folder, 'db'), migrations.slice(0, 1))
  const row = {
    ...{ targetGroupArn: 'arn', targetId: 'i-1', port: 80, account: '000000000000', region: 'us-west-2' },
    ...{ registeredAt: 1, drainingSince: 2, health: 'draining', reason: 'a', description: 'b', inFlight: 3 },
  }
  older.insert('elbv2_target', row)
  older.close()
  const store = openStore(join(folder, 'db'), migrations)
  assert.deepEqual(targetsOf(store, 'arn'), [row])
  updateTarget(store, targetsOf(store, 'arn')[0]!, { health: 'unavailable' })
  assert.equal(targetsOf(store, 'arn')[0]?.health, 'unavailable')
  store.close()
})
