// What others are told of a name that is to lead here, beside what they should be.
import { reasonOf } from '../../kernel/errors.ts'
import type { DomainReport } from '../cloud.ts'
import type { AcmDeps } from './deps.ts'
import { makeAuthorizations } from './authorizations.ts'
import { validation } from './errors.ts'
import { isLocal, readCertificateName, withoutWildcard } from './names.ts'

const HTTP = 80
const HTTPS = 443

export async function readDomain(deps: AcmDeps, asked: string): Promise<DomainReport> {
  const { acme, cloud, outside, acmeSettings, publicPort } = deps
  const authorizations = makeAuthorizations(deps)
  const name = readCertificateName(asked)
  if (name === undefined) throw validation(`'${asked.slice(0, 300)}' is not a domain name.`)
  const wanted = outside()
  const ports = { http: publicPort(HTTP), https: publicPort(HTTPS) }
  const about = { name, isLocal: isLocal(name), wanted, ports }
  if (about.isLocal) return { ...about, isOurs: false, found: null, problems: [] }
  const isOurs = cloud.route53.hasZoneOf(name)
  const problems: string[] = []
  const plain = withoutWildcard(name)
  const ask = (type: 'A' | 'AAAA') => acme.resolve(plain, type)
  const found = await Promise.all([ask('A'), ask('AAAA'), authorizations.problem(name)]).then(
    ([A, AAAA, forbidden]) => {
      if (forbidden !== '') problems.push(forbidden)
      return { A, AAAA }
    },
    (error: unknown) => void problems.push(reasonOf(error)),
  )
  if (acmeSettings().directory === null)
    problems.push('no authority of certificates is set: polebean config set acme.directory URL')
  if (wanted.A.every((one) => one.startsWith('127.')) && wanted.AAAA.length === 0)
    problems.push('this machine is on loopback alone: polebean config set listeners.publicAddresses ADDRESS')
  if (!isOurs && ports.http !== HTTP)
    problems.push(
      `authorities ask at port 80, and this home has port ${ports.http}: polebean config set listeners.http 80`,
    )
  return { ...about, isOurs, found: found ?? null, problems }
}
