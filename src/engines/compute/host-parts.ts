// What an instance sees of the host: programs, libraries and a few public files.
import { existsSync, lstatSync, readlinkSync, statSync } from 'node:fs'
import { directory, type Entry } from './guest-tree.ts'
import type { Bind } from './oci-config.ts'

/** What of the host is seen read-only, each at its own place. */
export const hostBinds = (): Bind[] =>
  [...ROOT_PARTS, ...HOST_FILES]
    .filter((path) => existsSync(path) && !(ROOT_PARTS.includes(path) && lstatSync(path).isSymbolicLink()))
    .map((path) => ({ source: path, target: path }))

/** What the root needs so that the host's programs are found: links such as /bin, and places for what is bound. */
export function hostEntries(): Entry[] {
  const links = ROOT_PARTS.filter((path) => lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink())
  return [
    ...links.map((path): Entry => ({ kind: 'link', path, to: readlinkSync(path) })),
    ...hostBinds().map(({ source, target }) => mountPoint(source, target)),
  ]
}

/** The place inside for a bind of a host's folder or file. */
export const mountPoint = (source: string, target: string): Entry =>
  statSync(source).isDirectory()
    ? directory(target)
    : { kind: 'file', path: target, mode: 0o644, owner: 'root', content: '' }

/** `/bin` is a link into /usr on most hosts, a folder on some. */
const ROOT_PARTS = ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32']

/** What programs of the host need besides /usr. None of it is secret, and what is secret stays out (/etc/ssl/private). */
const HOST_FILES =
  `/etc/alternatives /etc/ca-certificates /etc/crypto-policies /etc/ld.so.cache /etc/mime.types
  /etc/nginx/mime.types /etc/pki/ca-trust/extracted /etc/pki/tls/certs /etc/protocols /etc/services /etc/ssl/certs
  /etc/ssl/openssl.cnf`.split(/\s+/)
