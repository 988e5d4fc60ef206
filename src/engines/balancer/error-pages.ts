// What an Application Load Balancer answers by itself, in its own words and form.

export const ERROR_CODES = [400, 408, 413, 500, 502, 503, 504] as const
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

/** A whole HTTP response, as HAProxy's `errorfile` wants it. */
export function errorPage(code: ErrorCode): string {
  const title = TITLES[code]
  const body = [
    '<html>',
    `<head><title>${title}</title></head>`,
    '<body>',
    `<center><h1>${title}</h1></center>`,
    '</body>',
    '</html>',
    '',
  ].join('\r\n')
  const head = [
    `HTTP/1.1 ${title}`,
    'server: awselb/2.0',
    'content-type: text/html',
    `content-length: ${Buffer.byteLength(body)}`,
    'cache-control: no-cache',
  ]
  return `${head.join('\r\n')}\r\n\r\n${body}`
}
