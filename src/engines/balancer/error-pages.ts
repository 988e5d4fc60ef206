// What an Application Load Balancer answers by itself, in its own words and form. For want of an answer of a target a client on this
// machine reads why, and a load balancer may have a page of its own.
import type { ErrorPage, LoadBalancer, TargetGroup } from './engine.ts'

/** HAProxy's own: nobody has a say in them. */
export const PLAIN_CODES = [400, 408, 413, 500] as const
/** For want of a target's answer. */
export const TARGET_CODES = [502, 503, 504] as const
export const ERROR_CODES = [...PLAIN_CODES, ...TARGET_CODES] as const
type ErrorCode = (typeof ERROR_CODES)[number]

const TITLES: Record<ErrorCode, string> = {
  400: '400 Bad Request',
  408: '408 Request Time-out',
  413: '413 Request Entity Too Large',
  500: '500 Internal Server Error',
  502: '502 Bad Gateway',
  503: '503 Service Temporarily Unavailable',
  504: '504 Gateway Time-out',
}

/** In a page of a load balancer's own: here a client on this machine reads why. */
export const REASON = '#{reason}'

/** With REASON in it. */
export const pageBody = (code: ErrorCode): string => {
  const title = TITLES[code]
  return [
    '<html>',
    `<head><title>${title}</title></head>`,
    '<body>',
    `<center><h1>${title}</h1></center>${REASON}`,
    '</body>',
    '</html>',
    '',
  ].join('\r\n')
}

/** Of a page of a load balancer's own, as HAProxy keeps it: it answers from a buffer of twice as much. */
const PAGE_BYTES_MAX = 8_192

/** Whether a page can be answered: text, of at most 8 KiB in which a percent sign counts twice, with at most one `#{reason}`. */
export const isPage = (html: string): boolean =>
  Buffer.byteLength(html.replaceAll('%', '%%')) <= PAGE_BYTES_MAX &&
  html.split(REASON).length <= 2 &&
  !/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/.test(html)

/** The body of an answer for want of a target's. `isHere`: the client is on this machine. */
export function errorBody(
  code: (typeof TARGET_CODES)[number],
  { page }: Pick<LoadBalancer, 'page'>,
  isHere: boolean,
): string {
  return (page?.html ?? pageBody(code)).replaceAll(REASON, isHere ? reasonHtml(page?.reason ?? '') : '')
}

/** What is answered to a name that nobody has. */
export const unknownHostBody = (sentence: string): string =>
  `No environment answers to this name.\n${sentence}`

/** A whole HTTP response, as HAProxy's `errorfile` wants it. */
export function errorPage(code: (typeof PLAIN_CODES)[number]): string {
  const body = pageBody(code).replaceAll(REASON, '')
  const head = [
    `HTTP/1.1 ${TITLES[code]}`,
    'server: awselb/2.0',
    'content-type: text/html',
    `content-length: ${Buffer.byteLength(body)}`,
    'cache-control: no-cache',
  ]
  return `${head.join('\r\n')}\r\n\r\n${body}`
}

export const reasonHtml = (reason: string): string => (reason === '' ? '' : `<p>${escaped(reason)}</p>`)

// In one line: it is the value of a map.
const escaped = (text: string) =>
  text.replace(/[^\x20-\x7e]|[&<>"'#%\\]/gu, (character) => `&#${character.codePointAt(0)};`)

/** What a load balancer answers where one of its target groups has nobody to answer. */
export const pageOf = (
  { page }: Pick<LoadBalancer, 'page'>,
  { reason }: Pick<TargetGroup, 'reason'>,
): ErrorPage => ({ html: page?.html ?? null, reason: reason ?? page?.reason ?? '' })
