// Domain names as Route 53 takes, orders and shows them. Pure.
import { isName } from '../../engines/dns/engine.ts'

/** Lower case, without the point at the end; `\052` is an asterisk. Undefined for what is no name, or one that no name server here takes. */
export function readName(text: string): string | undefined {
  const name = text.toLowerCase().replace(/\.$/, '').replaceAll('\\052', '*')
  return isName(name) ? name : undefined
}

/** As AWS answers it: with the point at the end, an asterisk as `\052`. */
export const shownName = (name: string): string => `${name.replaceAll('*', '\\052')}.`

/** Labels from the last to the first: AWS lists names so. What separates them comes before everything that a label may have. */
export const sortKeyOf = (name: string): string => name.split('.').toReversed().join('!')

export const isWithin = (name: string, zone: string): boolean => name === zone || name.endsWith(`.${zone}`)

/** `a.b.c`, `b.c`, `c`. */
export const upwards = (name: string): string[] => {
  const labels = name.split('.')
  return labels.map((_label, index) => labels.slice(index).join('.'))
}
