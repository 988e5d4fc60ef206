import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { seededRandom } from '../../kernel/random.ts'
import { code, context, makeFixture } from './testing/fixture.ts'
import { listPage, urlEncode, type Bound } from './listing.ts'

const Bucket = 'bucket'
const utf8 = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b))

function listed(keys: string[]) {
  const sorted = keys.toSorted(utf8).map((key) => ({ key }))
  return (from: Bound, limit: number) =>
    sorted.filter(({ key }) => utf8(key, from.key) > 0 || (from.included && key === from.key)).slice(0, limit)
}
const page = (keys: string[], options: Partial<Parameters<typeof listPage>[1]>) => {
  const { items, prefixes, truncated, last } = listPage(listed(keys), {
    prefix: '',
    delimiter: '',
    after: '',
    entriesMax: 1000,
    ...options,
  })
  return { keys: items.map(({ key }) => key), prefixes, truncated, last }
}

describe('a listing', () => {
  const keys = ['a.txt', 'photos/2006/a', 'photos/2006/b', 'photos/2007/c', 'photos/d', 'z']
  it('rolls up what has the delimiter behind the prefix', () => {
    assert.deepEqual(page(keys, { delimiter: '/' }), {
      keys: ['a.txt', 'z'],
      prefixes: ['photos/'],
      truncated: false,
      last: 'z',
    })
    assert.deepEqual(page(keys, { delimiter: '/', prefix: 'photos/' }).prefixes, [
      'photos/2006/',
      'photos/2007/',
    ])
    assert.deepEqual(page(keys, { delimiter: '/', prefix: 'photos/' }).keys, ['photos/d'])
    assert.deepEqual(page(keys, { prefix: 'photos/2006' }).keys, ['photos/2006/a', 'photos/2006/b'])
  })
  it('counts keys and prefixes together, and goes on behind the last', () => {
    const first = page(keys, { delimiter: '/', entriesMax: 2 })
    assert.deepEqual(first, { keys: ['a.txt'], prefixes: ['photos/'], truncated: true, last: 'photos/' })
    assert.deepEqual(page(keys, { delimiter: '/', entriesMax: 2, after: first.last }).keys, ['z'])
  })
  it('asked for nothing is not truncated', () => {
    assert.deepEqual(page(keys, { entriesMax: 0 }), { keys: [], prefixes: [], truncated: false, last: '' })
  })
  it('skips a prefix by one seek', () => {
    const many = Array.from({ length: 5000 }, (_, index) => `dir/${index}`)
    let reads = 0
    const read = listed([...many, 'end'])
    const counting = (from: Bound, limit: number) => (reads++, read(from, limit))
    listPage(counting, { prefix: '', delimiter: '/', after: '', entriesMax: 10 })
    assert.ok(reads <= 3, `${reads} reads`)
  })
  it('skips prefixes that end in the last letters there are', () => {
    const odd = ['\u{10ffff}/a', '\u{10ffff}/b', '\ud7ff', '\ue000', '\u{1f600}x', '\uff5e']
    assert.deepEqual(page(odd, { delimiter: '\u{10ffff}' }).prefixes, ['\u{10ffff}'])
    assert.deepEqual(page(odd, {}).keys, odd.toSorted(utf8))
    assert.deepEqual(page(['a\ud7ff1', 'a\ud7ff2', 'a\ue000'], { delimiter: '\ud7ff' }).keys, ['a\ue000'])
  })
  it('page by page is the listing, whatever the keys', () => {
    const random = seededRandom(7)
    const letters = ['a', 'b', '/', '/', '\uff5e', '😀']
    for (let round = 0; round < 200; round++) {
      const draw = (length: number) =>
        Array.from({ length }, () => letters[Math.floor(random.next() * letters.length)]).join('')
      const drawn = [...new Set(Array.from({ length: 30 }, () => draw(1 + Math.floor(random.next() * 5))))]
      const options = {
        delimiter: random.next() < 0.7 ? '/' : '',
        prefix: random.next() < 0.5 ? draw(1) : '',
      }
      const all = page(drawn, options)
      const paged = { keys: [] as string[], prefixes: [] as string[] }
      for (let after = '', more = true; more;) {
        const one = page(drawn, { ...options, entriesMax: 3, after })
        paged.keys.push(...one.keys)
        paged.prefixes.push(...one.prefixes)
        more = one.truncated
        after = one.last
      }
      assert.deepEqual(paged, { keys: all.keys, prefixes: all.prefixes }, JSON.stringify({ drawn, options }))
    }
  })
  it('encodes as S3 does', () => {
    assert.equal(urlEncode('test_file(3).png'), 'test_file%283%29.png')
    assert.equal(urlEncode('a/ü +&%~*'), 'a/%C3%BC+%2B%26%25%7E*')
  })
})

describe('ListObjects', () => {
  const filled = async (...keys: string[]) => {
    const fixture = makeFixture()
    fixture.createBucket()
    for (const key of keys) await fixture.put(key, 'x')
    return fixture.s3
  }
  it('version 2 goes on by token', async () => {
    const s3 = await filled('a', 'b/1', 'b/2', 'c')
    const first = s3.listObjectsV2(context, { Bucket, Delimiter: '/', MaxKeys: 2 })
    assert.deepEqual([first.KeyCount, first.IsTruncated, first.MaxKeys], [2, true, 2])
    const second = s3.listObjectsV2(context, {
      Bucket,
      Delimiter: '/',
      MaxKeys: 2,
      ContinuationToken: first.NextContinuationToken,
    })
    assert.deepEqual(
      second.Contents?.map(({ Key }) => Key),
      ['c'],
    )
    assert.equal(second.NextContinuationToken, undefined)
    assert.deepEqual(
      s3.listObjectsV2(context, { Bucket, StartAfter: 'b/1' }).Contents?.map(({ Key }) => Key),
      ['b/2', 'c'],
    )
    assert.throws(
      () => s3.listObjectsV2(context, { Bucket, ContinuationToken: 'nonsense' }),
      code('InvalidArgument'),
    )
  })
  it('version 1 goes on by marker, which it names only with a delimiter', async () => {
    const s3 = await filled('a', 'b', 'c')
    const first = s3.listObjects(context, { Bucket, MaxKeys: 1 })
    assert.deepEqual(
      [first.IsTruncated, first.NextMarker, first.Contents?.[0]?.Owner?.DisplayName],
      [true, undefined, 'polebean'],
    )
    assert.equal(s3.listObjects(context, { Bucket, MaxKeys: 1, Delimiter: '/' }).NextMarker, 'a')
    assert.deepEqual(
      s3.listObjects(context, { Bucket, Marker: 'a' }).Contents?.map(({ Key }) => Key),
      ['b', 'c'],
    )
  })
  it('encodes keys and prefixes when asked', async () => {
    const s3 = await filled('ü +/1', 'ü&')
    const { Contents, CommonPrefixes, EncodingType } = s3.listObjects(context, {
      Bucket,
      Delimiter: '/',
      EncodingType: 'url',
    })
    assert.deepEqual(
      [Contents?.[0]?.Key, CommonPrefixes?.[0]?.Prefix, EncodingType],
      ['%C3%BC%26', '%C3%BC+%2B/', 'url'],
    )
  })
  it('answers at most 1,000 keys, and refuses a negative number', async () => {
    const s3 = await filled('a')
    assert.equal(s3.listObjects(context, { Bucket, MaxKeys: 5000 }).MaxKeys, 1000)
    assert.throws(() => s3.listObjects(context, { Bucket, MaxKeys: -1 }), code('InvalidArgument', 400))
  })
  it('lists each object as its only version', async () => {
    const s3 = await filled('a', 'b')
    const { Versions, NextKeyMarker, NextVersionIdMarker } = s3.listObjectVersions(context, {
      Bucket,
      MaxKeys: 1,
    })
    assert.deepEqual(
      [
        Versions?.map(({ Key, VersionId, IsLatest }) => [Key, VersionId, IsLatest]),
        NextKeyMarker,
        NextVersionIdMarker,
      ],
      [[['a', 'null', true]], 'a', 'null'],
    )
  })
})
