import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { describe, it } from 'node:test'
import { crc32 } from 'node:zlib'
import { code, context, makeFixture } from './testing/fixture.ts'

const Bucket = 'bucket'
const Key = 'key'
const MIB = 2 ** 20
const five = Buffer.alloc(5 * MIB, 'a')

function begun(input: object = {}) {
  const fixture = makeFixture()
  fixture.createBucket()
  const { s3 } = fixture
  const { UploadId } = s3.createMultipartUpload(context, { Bucket, Key, ...input })
  const part = (PartNumber: number, content: Buffer, more: object = {}) =>
    s3.uploadPart(context, { Bucket, Key, UploadId, PartNumber, Body: Readable.from([content]), ...more })
  const complete = (Parts: object[], more: object = {}) =>
    s3.completeMultipartUpload(context, { Bucket, Key, UploadId, MultipartUpload: { Parts }, ...more })
  return { ...fixture, UploadId, part, complete }
}
const md5 = (bytes: Buffer) => createHash('md5').update(bytes).digest()

describe('a multipart upload', () => {
  it('becomes an object of its parts in order', async () => {
    const { s3, part, complete, text, store } = begun({
      ContentType: 'text/plain',
      Metadata: { colour: 'blue' },
    })
    const last = await part(7, Buffer.from('end'))
    const first = await part(2, five)
    const done = await complete([
      { PartNumber: 2, ETag: first.ETag },
      { PartNumber: 7, ETag: last.ETag },
    ])
    const etag = createHash('md5')
      .update(Buffer.concat([md5(five), md5(Buffer.from('end'))]))
      .digest('hex')
    assert.equal(done.ETag, `"${etag}-2"`)
    assert.equal(done.Location, 'http://127.0.0.1:9/bucket/key')
    assert.equal(await text(Key), `${five}end`)
    const head = s3.headObject(context, { Bucket, Key })
    assert.deepEqual(
      [head.ContentType, head.Metadata, head.ContentLength],
      ['text/plain', { colour: 'blue' }, 5 * MIB + 3],
    )
    assert.deepEqual(store.all('select * from s3_part'), [])
    assert.equal(await text(Key, { PartNumber: 2 }), 'end')
    assert.equal(s3.headObject(context, { Bucket, Key, PartNumber: 1 }).PartsCount, 2)
    assert.throws(
      () => s3.headObject(context, { Bucket, Key, PartNumber: 3 }),
      code('InvalidPartNumber', 416),
    )
    const attributes = s3.getObjectAttributes(context, {
      Bucket,
      Key,
      ObjectAttributes: ['ObjectParts', 'ETag'],
    })
    assert.deepEqual([attributes.ObjectParts?.TotalPartsCount, attributes.ETag], [2, `${etag}-2`])
  })
  it('answers the same when it is completed again', async () => {
    const { part, complete } = begun()
    const { ETag } = await part(1, five)
    const [one, two] = await Promise.all([
      complete([{ PartNumber: 1, ETag }]),
      complete([{ PartNumber: 1, ETag }]),
    ])
    assert.deepEqual(one, two)
    assert.deepEqual(await complete([{ PartNumber: 1, ETag }]), one)
  })
  it('takes parts that are there, in order, with their etags', async () => {
    const { part, complete, keys } = begun()
    const { ETag } = await part(1, five)
    await part(2, five)
    const right = { PartNumber: 1, ETag }
    await assert.rejects(complete([{ PartNumber: 2, ETag }, right]), code('InvalidPartOrder', 400))
    await assert.rejects(complete([right, right]), code('InvalidPartOrder', 400))
    await assert.rejects(complete([right, { PartNumber: 3, ETag }]), code('InvalidPart', 400))
    await assert.rejects(complete([{ PartNumber: 1, ETag: '"wrong"' }]), code('InvalidPart', 400))
    await assert.rejects(complete([]), code('MalformedXML', 400))
    assert.deepEqual(keys(), [])
  })
  it('takes no small part but the last', async () => {
    const { part, complete } = begun()
    const small = await part(1, five.subarray(1))
    const last = await part(2, five)
    const parts = [
      { PartNumber: 1, ETag: small.ETag },
      { PartNumber: 2, ETag: last.ETag },
    ]
    await assert.rejects(complete(parts), code('EntityTooSmall', 400))
  })
  it('takes parts 1 to 10,000 and the last of a number', async () => {
    const { part, complete, text, tick, sweep, objects } = begun()
    for (const number of [0, 10_001, 1.5])
      await assert.rejects(part(number, five), code('InvalidArgument', 400))
    await part(10_000, Buffer.from('before'))
    const { ETag } = await part(10_000, Buffer.from('after'))
    tick(60_000)
    await sweep()
    assert.equal((await objects.list()).length, 1)
    await complete([{ PartNumber: 10_000, ETag }])
    assert.equal(await text(Key), 'after')
  })
  it('is gone when aborted, and its bodies are swept', async () => {
    const { s3, part, UploadId, sweep, tick, objects } = begun()
    await part(1, five)
    s3.abortMultipartUpload(context, { Bucket, Key, UploadId })
    await assert.rejects(part(2, five), code('NoSuchUpload', 404))
    assert.throws(
      () => s3.abortMultipartUpload(context, { Bucket, Key, UploadId }),
      code('NoSuchUpload', 404),
    )
    tick(60_000)
    await sweep()
    assert.deepEqual(await objects.list(), [])
  })
  it('aborted while a part comes in keeps nothing of it', async () => {
    const { s3, part, UploadId, objects } = begun()
    const body = (async function* () {
      yield five
      s3.abortMultipartUpload(context, { Bucket, Key, UploadId })
    })()
    await assert.rejects(part(1, five, { Body: body }), code('NoSuchUpload', 404))
    assert.deepEqual(await objects.list(), [])
  })
  it('makes a composite checksum of the parts checksums, and asks for them', async () => {
    const { part, complete, s3 } = begun({ ChecksumAlgorithm: 'CRC32' })
    const one = await part(1, five, { ChecksumAlgorithm: 'CRC32' })
    const two = await part(2, Buffer.from('end'))
    const parts = [
      { PartNumber: 1, ETag: one.ETag, ChecksumCRC32: one.ChecksumCRC32 },
      { PartNumber: 2, ETag: two.ETag, ChecksumCRC32: two.ChecksumCRC32 },
    ]
    await assert.rejects(complete([{ PartNumber: 1, ETag: one.ETag }]), /It was missing for part 1/)
    await assert.rejects(complete([{ ...parts[0], ChecksumCRC32: two.ChecksumCRC32 }]), code('InvalidPart'))
    const { ChecksumCRC32, ChecksumType } = await complete(parts)
    assert.match(ChecksumCRC32 ?? '', /^.{8}-2$/)
    assert.equal(ChecksumType, 'COMPOSITE')
    const bytes = Buffer.concat(parts.map((entry) => Buffer.from(entry.ChecksumCRC32 ?? '', 'base64')))
    const expected = Buffer.alloc(4)
    expected.writeUInt32BE(crc32(bytes))
    assert.equal(ChecksumCRC32, `${expected.toString('base64')}-2`)
    assert.equal(
      s3.headObject(context, { Bucket, Key, ChecksumMode: 'ENABLED' }).ChecksumCRC32,
      ChecksumCRC32,
    )
  })
  it('makes a checksum of the whole object where that is asked for', async () => {
    const { part, complete } = begun({ ChecksumAlgorithm: 'CRC32', ChecksumType: 'FULL_OBJECT' })
    const { ETag } = await part(1, five)
    const crc = Buffer.alloc(4)
    crc.writeUInt32BE(crc32(five))
    const ChecksumCRC32 = crc.toString('base64')
    await assert.rejects(
      complete([{ PartNumber: 1, ETag }], { ChecksumCRC32: 'AAAAAA==' }),
      code('BadDigest'),
    )
    const done = await complete([{ PartNumber: 1, ETag }], { ChecksumCRC32 })
    assert.deepEqual([done.ChecksumCRC32, done.ChecksumType], [ChecksumCRC32, 'FULL_OBJECT'])
  })
  it('refuses parts with another checksum than its own', async () => {
    const { part } = begun({ ChecksumAlgorithm: 'SHA256' })
    await assert.rejects(part(1, five, { ChecksumCRC32: 'AAAAAA==' }), /Checksum Type mismatch/)
  })
  it('copies parts out of other objects', async () => {
    const { s3, put, complete, text, UploadId } = begun()
    await put('source', '0123456789')
    const CopySource = `${Bucket}/source`
    const copy = (CopySourceRange?: string) =>
      s3.uploadPartCopy(context, { Bucket, Key, UploadId, PartNumber: 1, CopySource, CopySourceRange })
    await assert.rejects(copy('bytes=5-10'), code('InvalidArgument', 400))
    const { CopyPartResult } = await copy('bytes=3-5')
    await complete([{ PartNumber: 1, ETag: CopyPartResult?.ETag }])
    assert.equal(await text(Key), '345')
  })
  it('lists its parts page by page', async () => {
    const { s3, part, UploadId } = begun()
    for (const number of [1, 2, 3]) await part(number, Buffer.from('x'))
    const page = s3.listParts(context, { Bucket, Key, UploadId, MaxParts: 2 })
    assert.deepEqual([page.Parts?.length, page.IsTruncated, page.NextPartNumberMarker], [2, true, '2'])
    const { Parts } = s3.listParts(context, { Bucket, Key, UploadId, PartNumberMarker: '2' })
    assert.deepEqual(
      Parts?.map(({ PartNumber }) => PartNumber),
      [3],
    )
  })
  it('is listed with the others of its bucket', () => {
    const { s3 } = begun()
    for (const other of ['a', 'dir/1', 'dir/2', 'key'])
      s3.createMultipartUpload(context, { Bucket, Key: other })
    const list = (input: object) => s3.listMultipartUploads(context, { Bucket, ...input })
    assert.deepEqual(
      list({}).Uploads?.map((upload) => upload.Key),
      ['a', 'dir/1', 'dir/2', 'key', 'key'],
    )
    assert.deepEqual(list({ Delimiter: '/' }).CommonPrefixes, [{ Prefix: 'dir/' }])
    assert.deepEqual(list({ Prefix: 'key' }).Uploads?.length, 2)
    const seen: (string | undefined)[] = []
    for (let marker: object | undefined = {}; marker;) {
      const page: ReturnType<typeof list> = list({ MaxUploads: 1, ...marker })
      seen.push(page.Uploads?.[0]?.Key)
      const { NextKeyMarker: KeyMarker, NextUploadIdMarker: UploadIdMarker } = page
      marker = page.IsTruncated ? { KeyMarker, UploadIdMarker } : undefined
    }
    assert.deepEqual(seen, ['a', 'dir/1', 'dir/2', 'key', 'key'])
  })
  it('lists uploads in the order of UTF-8, and rolls up over keys alone', () => {
    const { s3, UploadId } = begun()
    s3.abortMultipartUpload(context, { Bucket, Key, UploadId })
    // In UTF-16 the emoji's halves come before the last letter.
    const keys = ['x', 'y/1', 'y/2', '\u{1f600}', '\uff5e']
    for (const Key of keys) s3.createMultipartUpload(context, { Bucket, Key })
    const list = (input: object) => s3.listMultipartUploads(context, { Bucket, ...input })
    const keysOf = (input: object) => list(input).Uploads?.map((upload) => upload.Key)
    assert.deepEqual(keysOf({}), ['x', 'y/1', 'y/2', '\uff5e', '\u{1f600}'])
    assert.deepEqual(keysOf({ KeyMarker: '\uff5e' }), ['\u{1f600}'])
    // Ids are of [a-z0-9]: none of them may be taken for a part of the key.
    for (const Delimiter of ['a', '7', '\0'])
      assert.deepEqual(list({ Prefix: 'x', Delimiter }).CommonPrefixes, [], Delimiter)
    const first = list({ Delimiter: '/', MaxUploads: 2 })
    assert.deepEqual([first.NextKeyMarker, first.NextUploadIdMarker], ['y/', undefined])
    assert.deepEqual(keysOf({ Delimiter: '/', KeyMarker: 'y/' }), ['\uff5e', '\u{1f600}'])
  })
})
