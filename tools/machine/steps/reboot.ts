// The machine reboots; what was running answers again. Without a service the user types `up` (README), which builds nothing.
import type { World } from '../scenario.ts'
import { answers } from './answer.ts'

export async function reboot({ guest, memory }: World): Promise<string> {
  await guest.reboot()
  const service = await guest.run('systemctl is-enabled polebean.service 2>/dev/null || true')
  if (service.trim() !== 'enabled')
    await guest.run('cd polebean && npm run up </dev/null 2>reboot.log || { cat reboot.log >&2; exit 1; }')
  await answers(guest, memory)
  return service.trim() === 'enabled' ? 'by the service' : 'by up'
}
