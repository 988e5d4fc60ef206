// Server certificates that iam keeps for load balancers, the way before acm that `eb` and older templates know.
import { X509Certificate } from 'node:crypto'
import type { ServerCertificateMetadata } from '@aws-sdk/client-iam'
import type { Context } from '../../context.ts'
import type { IamOperations } from '../../generated/iam.ts'
import { readServerCertificate, type CertificateProblem } from '../../server-certificate.ts'
import type { ServiceDeps } from '../../service.ts'
import { checkName, checkPath, joinTags, pageOf } from '../checks.ts'
import {
  deleteConflict,
  entityAlreadyExists,
  keyPairMismatch,
  limitExceeded,
  malformedCertificate,
  noSuchEntity,
} from '../errors.ts'
import { limits } from '../limits.ts'
import { tagsOf } from '../lookup.ts'
import { count, serverCertificateRow, type ServerCertificateRow } from '../store.ts'

type Names =
  | 'uploadServerCertificate'
  | 'getServerCertificate'
  | 'listServerCertificates'
  | 'updateServerCertificate'
  | 'deleteServerCertificate'
  | 'listServerCertificateTags'

export function makeServerCertificateOperations(
  deps: Pick<ServiceDeps, 'store' | 'clock' | 'ids' | 'cloud'>,
): Pick<IamOperations, Names> {
  const { store, clock, ids, cloud } = deps
  return {
    uploadServerCertificate({ account }, input) {
      const name = requireName(input.ServerCertificateName)
      const path = checkPath(input.Path)
      const tags = JSON.stringify(joinTags([], input.Tags ?? []))
      const { found, problem } = readServerCertificate(
        {
          certificate: input.CertificateBody ?? '',
          chain: input.CertificateChain ?? '',
          privateKey: input.PrivateKey ?? '',
        },
        clock.now(),
      )
      if (problem) throw refusalOf(problem)
      if (serverCertificateRow(store, account, name))
        throw entityAlreadyExists(`The Server Certificate with name ${name} already exists.`)
      if (count(store, 'iam_server_certificate', account) >= limits.serverCertificatesMax)
        throw limitExceeded('ServerCertificatesPerAccount', limits.serverCertificatesMax)
      const row: ServerCertificateRow = {
        ...{ account, name, path, id: ids.upper('ASCA', 17) },
        ...{ ...found, tags, createdAt: clock.now() },
      }
      store.insert('iam_server_certificate', row)
      return { ServerCertificateMetadata: metadataOf(row), Tags: tagsOf(row) }
    },

    getServerCertificate({ account }, input) {
      const row = find(account, input.ServerCertificateName)
      return {
        ServerCertificate: {
          ServerCertificateMetadata: metadataOf(row),
          CertificateBody: row.certificate,
          ...(row.chain === '' ? {} : { CertificateChain: row.chain }),
          Tags: tagsOf(row),
        },
      }
    },

    listServerCertificates({ account }, input) {
      const found = store
        .all<ServerCertificateRow>(
          'select * from iam_server_certificate where account = :account order by name',
          { account },
        )
        .filter((row) => row.path.startsWith(input.PathPrefix ?? '/'))
      const { page, paging } = pageOf(found, (row) => row.name, input)
      return { ServerCertificateMetadataList: page.map(metadataOf), ...paging }
    },

    // Its ARN changes with its name and path, so one that is shown somewhere keeps both.
    updateServerCertificate(context, input) {
      const row = find(context.account, input.ServerCertificateName)
      const name =
        input.NewServerCertificateName === undefined ? row.name : requireName(input.NewServerCertificateName)
      const path = input.NewPath === undefined ? row.path : checkPath(input.NewPath)
      if (name === row.name && path === row.path) return {}
      requireUnused(context, row)
      if (name.toLowerCase() !== row.name.toLowerCase() && serverCertificateRow(store, row.account, name))
        throw entityAlreadyExists(`The Server Certificate with name ${name} already exists.`)
      store.update('iam_server_certificate', { account: row.account, name: row.name }, { name, path })
      return {}
    },

    deleteServerCertificate(context, input) {
      const row = find(context.account, input.ServerCertificateName)
      requireUnused(context, row)
      store.remove('iam_server_certificate', { account: row.account, name: row.name })
      return {}
    },

    listServerCertificateTags({ account }, input) {
      const { page, paging } = pageOf(
        tagsOf(find(account, input.ServerCertificateName)),
        (tag) => tag.Key,
        input,
      )
      return { Tags: page, ...paging }
    },
  }

  function find(account: string, name: string | undefined): ServerCertificateRow {
    const row = serverCertificateRow(store, account, requireName(name))
    if (!row) throw noSuchEntity(`The Server Certificate with name ${name} cannot be found.`)
    return row
  }

  function requireUnused(context: Context, row: ServerCertificateRow) {
    const [user] = cloud.elasticloadbalancingv2.certificateUses(context, arnOf(row))
    if (user !== undefined)
      throw deleteConflict(
        `Certificate: ${row.id} is currently in use by ${user}. Please remove it first before deleting it from IAM.`,
      )
  }
}

const requireName = (name: string | undefined) => checkName(name, 'serverCertificateName', 128)

export const arnOf = ({ account, path, name }: ServerCertificateRow) =>
  `arn:aws:iam::${account}:server-certificate${path}${name}`

function metadataOf(row: ServerCertificateRow): ServerCertificateMetadata {
  return {
    Path: row.path,
    ServerCertificateName: row.name,
    ServerCertificateId: row.id,
    Arn: arnOf(row),
    UploadDate: new Date(row.createdAt),
    Expiration: new X509Certificate(row.certificate).validToDate,
  }
}

function refusalOf(problem: CertificateProblem) {
  switch (problem) {
    case 'another key':
      return keyPairMismatch('Server certificate body and private key do not match.')
    case 'no key':
    case 'encrypted key':
    case 'unsupported key':
      return malformedCertificate(
        'Unable to parse key; it must be an unencrypted private key in PEM format, of RSA or of a curve of NIST.',
      )
    case 'no chain':
    case 'broken chain':
      return malformedCertificate(
        'Unable to validate certificate chain. The certificate chain must start with the immediate signing certificate, followed by any intermediaries in order.',
      )
    case 'weak signature':
      return malformedCertificate('The certificate or its chain is signed with MD5 or SHA-1.')
    case 'too long':
      return malformedCertificate(
        'The certificate, its chain and its key are longer than 15,000 characters together.',
      )
    case 'expired':
    case 'not valid yet':
      return malformedCertificate('The certificate is not valid at this time.')
    default:
      return malformedCertificate(
        'Unable to parse certificate. Please ensure the certificate is in PEM format.',
      )
  }
}
