// S3: which operation a method, path and query mean. The model's URIs lack the bucket, which the SDK puts into the host
// or before the path; what distinguishes operations of one URI is in their queries and in x-amz-copy-source.
import { DeclaredError } from '../../kernel/errors.ts'
import type { OperationModel, ServiceModel } from '../model.ts'

export type RestTarget = { bucket: string | undefined; key: string | undefined }
type Level = 'service' | 'bucket' | 'object'
type Route = {
  operation: string
  level: Level
  query: [name: string, value: string][]
  requiredQuery: string[]
  copySource: boolean
}

/** Finds the name of a request's operation; undefined when S3 has none of that form. Built once per model. */
export function makeRestRouter(model: ServiceModel) {
  const routes = new Map<string, Route[]>()
  const subresources: Record<Level, Set<string>> = {
    service: new Set(),
    bucket: new Set(),
    object: new Set(),
  }
  const add = (method: string, route: Route) => {
    routes.set(method, [...(routes.get(method) ?? []), route])
    for (const [name, value] of route.query) if (value === '') subresources[route.level].add(name)
  }
  for (const name of model.operationNames) {
    const operation = model.operation(name)!
    if (operation.http) add(operation.http.method, routeOf(operation, operation.http.uri))
  }
  for (const { name, method, uri, hasBucket } of model.otherRoutes)
    add(method, { ...partsOf(uri, hasBucket), operation: name, requiredQuery: [], copySource: false })
  // The most specific first: the first that fits is the answer.
  for (const each of routes.values()) each.sort((a, b) => weight(b) - weight(a))

  return (
    method: string,
    target: RestTarget,
    query: ReadonlyMap<string, string>,
    hasCopySource: boolean,
  ): string | undefined => {
    const level = target.key !== undefined ? 'object' : target.bucket !== undefined ? 'bucket' : 'service'
    const route = routes
      .get(method)
      ?.find(
        (each) =>
          each.level === level &&
          (!each.copySource || hasCopySource) &&
          each.query.every(([name, value]) => (value === '' ? query.has(name) : query.get(name) === value)) &&
          each.requiredQuery.every((name) => query.has(name)),
      )
    // `DELETE /bucket?inventory` without its id must not delete the bucket.
    for (const name of query.keys())
      if (subresources[level].has(name) && !route?.query.some(([own]) => own === name)) return undefined
    return route?.operation
  }
}

function routeOf(operation: OperationModel, uri: string): Route {
  const members = operation.input?.members ?? []
  const required = members.filter((member) => member.required)
  const hasBucket = members.some((member) => member.name === 'Bucket' && member.http?.in === 'label')
  return {
    ...partsOf(uri, hasBucket),
    operation: operation.name,
    requiredQuery: required.flatMap((member) => (member.http?.in === 'query' ? [member.http.name] : [])),
    copySource: required.some(
      (member) => member.http?.in === 'header' && member.http.name === 'x-amz-copy-source',
    ),
  }
}

function partsOf(uri: string, hasBucket: boolean): Pick<Route, 'level' | 'query'> {
  const [path = '', query = ''] = uri.split('?')
  return {
    level: path.includes('{Key+}') ? 'object' : hasBucket ? 'bucket' : 'service',
    query: query
      .split('&')
      .filter((part) => part !== '' && !part.startsWith('x-id='))
      .map((part): [string, string] => [part.split('=')[0]!, part.split('=')[1] ?? '']),
  }
}

const weight = (route: Route) => route.query.length + route.requiredQuery.length + (route.copySource ? 1 : 0)

/** Throws for half of what names a part: without the other half the part would be put in the object's place. */
export function checkPart(method: string, target: RestTarget, query: ReadonlyMap<string, string>): void {
  if (method !== 'PUT' || target.key === undefined || query.has('uploadId') === query.has('partNumber'))
    return
  const lacks = query.has('uploadId') ? 'partNumber' : 'uploadId'
  throw new DeclaredError(
    'InvalidArgument',
    `A part is put with both uploadId and partNumber; this request lacks ${lacks}.`,
    { members: { ArgumentName: lacks, ArgumentValue: '' } },
  )
}

/** Path-style `/bucket/key`, or virtual-host style `<bucket>.s3.<anything>` and `<bucket>.localhost`. */
export function restTargetOf(host: string, decodedPath: string): RestTarget {
  const bucketOfHost = virtualBucket(host)
  const path = decodedPath.startsWith('/') ? decodedPath.slice(1) : decodedPath
  if (bucketOfHost !== undefined) return { bucket: bucketOfHost, key: path === '' ? undefined : path }
  const slash = path.indexOf('/')
  if (path === '') return { bucket: undefined, key: undefined }
  if (slash === -1) return { bucket: path, key: undefined }
  const key = path.slice(slash + 1)
  return { bucket: path.slice(0, slash), key: key === '' ? undefined : key }
}

function virtualBucket(host: string): string | undefined {
  const name = host.replace(/:\d+$/, '').toLowerCase()
  const beforeS3 = /^(.+)\.s3[.-]/.exec(name)?.[1]
  if (beforeS3) return beforeS3
  if (!name.endsWith('.localhost') || /^s3[.-]/.test(name)) return undefined
  return name.slice(0, -'.localhost'.length)
}
