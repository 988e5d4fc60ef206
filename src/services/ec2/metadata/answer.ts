// The instance metadata service, versions 1 and 2: a question from an address, answered from the rows (EC2 user guide,
// "Use the Instance Metadata Service to access instance metadata").
import type { MetadataAnswer, MetadataRequest } from '../../../engines/metadata/engine.ts'
import type { Ec2Deps } from '../deps.ts'
import { factsAt, type InstanceFacts } from './facts.ts'
import { makeTokens, tokenKey, TTL_SECONDS_MAX, type Tokens } from './tokens.ts'
import { look, metadataTree, VERSIONS } from './tree.ts'

const TOKEN = 'x-aws-ec2-metadata-token'
const TTL = 'x-aws-ec2-metadata-token-ttl-seconds'

/** Answers by the rows as they are at each question. */
export function makeMetadataAnswers(deps: Ec2Deps): (request: MetadataRequest) => MetadataAnswer {
  let tokens: Tokens | undefined
  const tokensOfHome = () => (tokens ??= makeTokens(tokenKey(deps.store, deps.ids), () => deps.clock.now()))
  return (request) => {
    const facts = factsAt(deps, request.source)
    // Nobody who asks is no instance: a build sandbox, an address whose instance has just ended.
    if (!facts || facts.options.HttpEndpoint === 'disabled') return { status: 403 }
    return answerTo(request, facts, tokensOfHome())
  }
}

function answerTo(request: MetadataRequest, facts: InstanceFacts, tokens: Tokens): MetadataAnswer {
  const segments = segmentsOf(request.path)
  if (!segments) return { status: 400 }
  if (segments.join('/') === 'latest/api/token') return makeToken(request, facts, tokens)
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return { status: 405, headers: { Allow: 'GET, HEAD' } }
  const token = request.headers[TOKEN]
  const left = token === undefined ? null : tokens.secondsLeft(facts.instanceId, token)
  // A token that is none is refused also by an instance that needs none.
  if (left === null && (token !== undefined || facts.options.HttpTokens === 'required'))
    return { status: 401 }
  const headers: Record<string, string> = left === null ? {} : { [TTL]: String(left) }
  if (segments.length === 0) return { status: 200, headers, body: VERSIONS.join('\n') }
  const [version, ...path] = segments
  const found = VERSIONS.includes(version!) ? look(metadataTree(facts), path) : null
  if (found === null) return { status: 404, headers }
  const raw = Buffer.isBuffer(found) && { 'Content-Type': 'application/octet-stream' }
  return { status: 200, headers: { ...headers, ...raw }, body: found }
}

function makeToken(
  { method, headers }: MetadataRequest,
  facts: InstanceFacts,
  tokens: Tokens,
): MetadataAnswer {
  if (method !== 'PUT') return { status: 405, headers: { Allow: 'PUT' } }
  // A proxy that was tricked into asking adds it; a program of the instance has no reason to.
  if (headers['x-forwarded-for'] !== undefined) return { status: 403 }
  const given = headers[TTL] ?? ''
  const seconds = /^\d{1,5}$/.test(given) ? Number(given) : 0
  if (seconds < 1 || seconds > TTL_SECONDS_MAX) return { status: 400 }
  return {
    status: 200,
    headers: { [TTL]: String(seconds) },
    body: tokens.make(facts.instanceId, seconds),
  }
}

/** Parts of a path, also of one that ends with a slash; null for one that cannot be read. */
function segmentsOf(path: string): string[] | null {
  try {
    return path.split('/').filter(Boolean).map(decodeURIComponent)
  } catch {
    return null
  }
}
