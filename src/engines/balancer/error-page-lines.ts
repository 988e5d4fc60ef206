// Pages for want of a target's answer, as HAProxy's lines and files. Why is told by a map, which changes while HAProxy runs, under a key
// that only clients on this machine have.
import type { BalancerModel, LoadBalancer } from './engine.ts'
import { pageBody, pageOf, REASON, reasonHtml, TARGET_CODES, unknownHostBody } from './error-pages.ts'
import { backendsOf, digest, UNKNOWN_HOST } from './names.ts'

export const REASONS_MAP = 'reasons.map'

/** Of frontends that clients on this machine reach: who is one of them, and is not another proxy's client. */
export const hereLines: readonly string[] = [
  '  tcp-request session set-var(sess.here) str(here) if { src -m ip 127.0.0.0/8 ::1/128 }',
  '  http-request set-var(txn.via) str(-via) if { req.hdr(x-forwarded-for) -m found }',
]

const HERE = '-here'
const reasonSample = (dir: string) =>
  `%[be_name,concat(-,sess.here),concat(,txn.via),map(${dir}/${REASONS_MAP})]`

/** Of all load balancers that have no page of their own. */
export const errorLines = (dir: string): string[] =>
  TARGET_CODES.map((code) => errorLine(code, 'text/html', `${dir}/${code}.html`))

export const errorFiles = (dir: string): [name: string, content: string][] =>
  TARGET_CODES.map((code) => [`${code}.html`, formatOf(pageBody(code), dir)])

/** Of a backend whose load balancer has a page of its own. */
export const ownPageLines = ({ page }: LoadBalancer, dir: string): string[] =>
  page?.html == null
    ? []
    : TARGET_CODES.map((code) =>
        errorLine(code, '"text/html; charset=utf-8"', `${dir}/${pageFile(page.html!)}`),
      )

export const ownPageFiles = (
  { loadBalancers }: BalancerModel,
  dir: string,
): [name: string, content: string][] =>
  loadBalancers.flatMap(({ page }) =>
    page?.html == null ? [] : [[pageFile(page.html), formatOf(page.html, dir)]],
  )

/** Key → what is told there. */
export function reasonEntries(model: BalancerModel): string {
  const told = backendsOf(model).flatMap(({ name, loadBalancer, group }) => {
    const { reason } = pageOf(loadBalancer, group)
    return reason === '' ? [] : [`${name}${HERE} ${reasonHtml(reason)}\n`]
  })
  const unknown = model.unknownHost ? [`${UNKNOWN_HOST}${HERE} ${model.unknownHost}\n`] : []
  return [...told, ...unknown].join('')
}

export const unknownHostLine = (dir: string): string =>
  `  http-request return status 404 content-type text/plain lf-string "${unknownHostBody(reasonSample(dir)).replace('\n', '\\n')}"`

const errorLine = (code: number, type: string, file: string) =>
  `  http-error status ${code} content-type ${type} lf-file ${file} hdr server awselb/2.0 hdr cache-control no-cache`

const pageFile = (html: string) => `page-${digest(html, 16)}.html`
/** A format of HAProxy's: a percent sign begins a sample. */
const formatOf = (html: string, dir: string) =>
  html.replaceAll('%', '%%').replaceAll(REASON, reasonSample(dir))
