// What an instance's root tries to get out of it, on this machine's kernel, with pure cgroup v2, beside a home that runs.
import type { World } from '../scenario.ts'

const TEST = 'src/engines/compute/escape.real.test.ts'

export async function escapes({ guest }: World): Promise<string> {
  const said = await guest.run(
    `cd polebean && sudo node_modules/.bin/node --disable-warning=ExperimentalWarning --test --test-reporter=tap ${TEST} 2>&1 || true`,
  )
  const count = (what: string) => Number(new RegExp(`^# ${what} (\\d+)$`, 'm').exec(said)?.[1] ?? NaN)
  const [passed, failed, skipped] = [count('pass'), count('fail'), count('skipped')]
  if (!(passed > 0) || failed !== 0 || skipped !== 0) throw new Error(said)
  return `${passed} groups of attempts, all refused or contained`
}
