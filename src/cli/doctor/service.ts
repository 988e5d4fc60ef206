// Whether the server of a home comes back by itself after a reboot.
import { reasonOf } from '../../kernel/errors.ts'
import { makeService, type Service } from '../../service/service.ts'
import type { HomeSettings } from '../../home.ts'
import type { Check } from '../requirements.ts'

export async function checkService(home: HomeSettings): Promise<Check> {
  const name = 'service'
  const service = makeService(home)
  if (!service.isInstalled()) {
    const instead = service.hasSystemd()
      ? ' (polebean service install)'
      : ', since systemd does not run this machine'
    return { name, ok: true, saw: `none${instead}; after a reboot: polebean start` }
  }
  try {
    const { enabled, active } = await service.state()
    const saw = await describeService(service)
    if (enabled && active !== 'failed') return { name, ok: true, saw }
    return { name, ok: false, saw: `${saw} (sudo polebean service install)` }
  } catch (error) {
    return { name, ok: false, saw: reasonOf(error) }
  }
}

/** `polebean.service: enabled, active` */
export async function describeService(service: Service): Promise<string> {
  const { enabled, active } = await service.state()
  return `${service.name}: ${enabled ? 'enabled' : 'disabled'}, ${active}`
}
