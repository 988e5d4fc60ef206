// Which operation a method and path mean, by the templates of the model (`/2013-04-01/hostedzone/{Id}/rrset`). S3, whose buckets may
// stand in the host, has a router of its own.
import type { ServiceModel } from '../model.ts'
import { decodeText } from '../request.ts'

export type PathTarget = { operation: string; labels: Record<string, string> }

type Route = { operation: string; segments: string[] }

/** Undefined when the service has no operation of that form. Built once per model. */
export function makePathRouter(model: ServiceModel) {
  const routes = new Map<string, Route[]>()
  for (const name of model.operationNames) {
    const { http } = model.operation(name)!
    if (!http) continue
    const segments = http.uri.split('?')[0]!.split('/').slice(1)
    routes.set(http.method, [...(routes.get(http.method) ?? []), { operation: name, segments }])
  }
  // What is written out wins over a label.
  for (const each of routes.values()) each.sort((a, b) => labelsIn(a) - labelsIn(b))

  return (method: string, path: string): PathTarget | undefined => {
    // botocore ends some of them with a slash.
    const given = path.replace(/\/$/, '').split('/').slice(1)
    for (const { operation, segments } of routes.get(method) ?? []) {
      const labels = match(segments, given)
      if (labels) return { operation, labels }
    }
    return undefined
  }
}

const labelsIn = ({ segments }: Route) => segments.filter(isLabel).length
const isLabel = (segment: string) => segment.startsWith('{')

function match(segments: string[], given: string[]): Record<string, string> | undefined {
  if (segments.length !== given.length) return undefined
  const labels: Record<string, string> = {}
  for (const [index, segment] of segments.entries()) {
    const text = given[index]!
    if (!isLabel(segment)) {
      if (segment !== text) return undefined
    } else if (text === '') return undefined
    else labels[segment.slice(1, -1)] = decodeText(text, 'plus is plus')
  }
  return labels
}
