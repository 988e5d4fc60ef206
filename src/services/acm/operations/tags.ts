import type { Tag } from '@aws-sdk/client-acm'
import { DeclaredError } from '../../../kernel/errors.ts'
import type { Context } from '../../context.ts'
import type { AcmOperations } from '../../generated/acm.ts'
import type { ServiceDeps } from '../../service.ts'
import { noCertificate, validation } from '../errors.ts'
import { certificateRow, tagsOf } from '../store.ts'

type Implemented = Pick<
  AcmOperations,
  'addTagsToCertificate' | 'removeTagsFromCertificate' | 'listTagsForCertificate'
>

const TAGS_MAX = 50

export function makeTagOperations({ store }: Pick<ServiceDeps, 'store'>): Implemented {
  return {
    addTagsToCertificate(context, input) {
      const { arn, tags } = requireTagged(context, input.CertificateArn)
      store.update('acm_certificate', { arn }, { tags: JSON.stringify(tagsAfter(tags, input.Tags)) })
      return {}
    },
    // A tag goes by its key, and only with its value when one is given.
    removeTagsFromCertificate(context, input) {
      const { arn, tags } = requireTagged(context, input.CertificateArn)
      for (const { Key = '', Value } of input.Tags ?? [])
        if (Value === undefined || tags[Key] === Value) delete tags[Key]
      store.update('acm_certificate', { arn }, { tags: JSON.stringify(tags) })
      return {}
    },
    listTagsForCertificate(context, input) {
      const { tags } = requireTagged(context, input.CertificateArn)
      return { Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) }
    },
  }

  function requireTagged(context: Context, arn: string | undefined) {
    const row = certificateRow(store, context, arn ?? '')
    if (!row) throw noCertificate(arn ?? '')
    return { arn: row.arn, tags: tagsOf(row) }
  }
}

/** Throws for tags that AWS refuses. */
export function tagsAfter(before: Record<string, string>, given: Tag[] | undefined): Record<string, string> {
  const after = { ...before }
  for (const { Key: key = '', Value: value = '' } of given ?? []) {
    if (key === '' || key.length > 128 || value.length > 256)
      throw validation('Tag keys have 1 to 128 characters, values at most 256.')
    if (key.toLowerCase().startsWith('aws:'))
      throw new DeclaredError('InvalidTagException', 'Tag keys that begin with aws: are reserved for AWS.')
    after[key] = value
  }
  if (Object.keys(after).length > TAGS_MAX)
    throw new DeclaredError('TooManyTagsException', `A certificate has at most ${TAGS_MAX} tags.`)
  return after
}
