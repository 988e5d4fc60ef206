// Redirects and fixed responses, as HAProxy's lines.
import type { Answer, AnswerAction } from './names.ts'
import { digest } from './names.ts'

type Redirect = AnswerAction & { type: 'redirect' }
type FixedResponse = AnswerAction & { type: 'fixed-response' }

/** `publicPort`: where clients outside of the VPC reach a listener port. */
export type AnswerSettings = { dir: string; publicPort(listenerPort: number): number }

export const answerLines = ({ action, loadBalancer }: Answer, settings: AnswerSettings): string[] =>
  (action.type === 'redirect'
    ? redirectLines(action, settings, loadBalancer.logsRequests === true)
    : [fixedResponseLine(action, settings.dir)]
  ).map((line) => `  http-request ${line}`)

/** The file of a fixed response's body. */
export const bodyFile = ({ body }: FixedResponse): string => `body-${digest(body, 16)}.txt`

function fixedResponseLine(action: FixedResponse, dir: string): string {
  const { statusCode, contentType, body } = action
  const content = body === '' ? '' : ` content-type ${contentType} file ${dir}/${bodyFile(action)}`
  return `return status ${statusCode}${content} hdr Server awselb/2.0`
}

function redirectLines(action: Redirect, { publicPort }: AnswerSettings, isLogged: boolean): string[] {
  const { statusCode, protocol, host, port, path, query } = action
  const place = (ownPort: string) =>
    [
      protocol === '#{protocol}' ? PLACEHOLDERS[protocol] : protocol.toLowerCase(),
      `://${format(host)}:${ownPort}${format(path)}`,
    ].join('')
  const line = (location: string, condition = '') =>
    [
      ...(isLogged ? [`set-var-fmt(txn.location) '${location}'`] : []),
      `redirect code ${statusCode} location '${location}'`,
    ].map((one) => one + (condition && ` if ${condition}`))
  const withQuery = (location: string, condition = '') => {
    if (query === '') return line(location, condition)
    const asked = line(`${location}?${format(query)}`, condition)
    // No question mark without a question.
    return query === '#{query}'
      ? [
          ...line(`${location}?${format(query)}`, `{ query -m len gt 0 } ${condition}`.trim()),
          ...line(location, condition),
        ]
      : asked
  }
  // The frontend has written into headers which protocol and port its clients use.
  if (port === '#{port}') return withQuery(place('%[req.hdr(x-forwarded-port)]'))
  // Of this machine, unless another one is named.
  const seen = host.includes('#{host}') ? String(publicPort(Number(port))) : port
  const outside = seen === port ? [] : withQuery(place(seen), '{ fe_name -m beg public- own- }')
  return [...outside, ...withQuery(place(port))]
}

const PLACEHOLDERS: Record<string, string> = {
  '#{protocol}': '%[req.hdr(x-forwarded-proto)]',
  '#{host}': '%[req.hdr(host),host_only]',
  '#{port}': '%[req.hdr(x-forwarded-port)]',
  '#{path}': '%[path,bytes(1)]',
  '#{query}': '%[query]',
}

// What is no placeholder is text, in which a quote or a backslash means something to HAProxy and nothing to a URI (RFC 3986 §2).
const format = (template: string): string =>
  template
    .split(/(#\{(?:protocol|host|port|path|query)\})/)
    .map(
      (part) =>
        PLACEHOLDERS[part] ??
        part.replace(/[^A-Za-z0-9%._~:/?#[\]@!$&()*+,;=-]/g, encoded).replaceAll('%', '%%'),
    )
    .join('')

const encoded = (character: string) =>
  `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
