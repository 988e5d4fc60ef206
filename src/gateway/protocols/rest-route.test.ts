import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { modelOf } from '../models.ts'
import { makeRestRouter, restTargetOf } from './rest-route.ts'

const route = makeRestRouter(modelOf('s3'))
const operationOf = (method: string, url: string, copySource = false) => {
  const [path = '', query = ''] = url.split('?')
  return route(method, restTargetOf('localhost:4000', path), new Map(new URLSearchParams(query)), copySource)
}

describe('the operation of an S3 request', () => {
  for (const [request, operation] of Object.entries({
    'GET /': 'ListBuckets',
    'GET /?x-id=ListBuckets': 'ListBuckets',
    'PUT /b': 'CreateBucket',
    'PUT /b/': 'CreateBucket',
    'HEAD /b': 'HeadBucket',
    'DELETE /b': 'DeleteBucket',
    'GET /b': 'ListObjects',
    'GET /b?prefix=a&encoding-type=url': 'ListObjects',
    'GET /b?list-type=2': 'ListObjectsV2',
    'GET /b?location': 'GetBucketLocation',
    'GET /b?location=': 'GetBucketLocation',
    'GET /b?uploads': 'ListMultipartUploads',
    'GET /b?versions': 'ListObjectVersions',
    'GET /b?analytics': 'ListBucketAnalyticsConfigurations',
    'GET /b?analytics&id=x': 'GetBucketAnalyticsConfiguration',
    'POST /b?delete': 'DeleteObjects',
    'PUT /b?policy': 'PutBucketPolicy',
    'GET /b/k': 'GetObject',
    'GET /b/k?x-id=GetObject&versionId=null': 'GetObject',
    'GET /b/k?uploadId=u': 'ListParts',
    'GET /b/k?acl': 'GetObjectAcl',
    'HEAD /b/k': 'HeadObject',
    'PUT /b/k': 'PutObject',
    'PUT /b/k?partNumber=1&uploadId=u': 'UploadPart',
    'DELETE /b/k': 'DeleteObject',
    'DELETE /b/k?uploadId=u': 'AbortMultipartUpload',
    'POST /b/k?uploads': 'CreateMultipartUpload',
    'POST /b/k?uploadId=u': 'CompleteMultipartUpload',
  }))
    it(`${request} is ${operation}`, () => {
      assert.equal(operationOf(...(request.split(' ') as [string, string])), operation)
    })

  it('is a copy when the source is in a header', () => {
    assert.equal(operationOf('PUT', '/b/k', true), 'CopyObject')
    assert.equal(operationOf('PUT', '/b/k?partNumber=1&uploadId=u', true), 'UploadPartCopy')
  })
  it('has its name also when its shapes are not here', () => {
    assert.equal(operationOf('POST', '/b/k?select&select-type=2'), 'SelectObjectContent')
    assert.equal(operationOf('GET', '/b?session'), 'CreateSession')
  })
  it('is never one that a sub-resource was asked of but that has none', () => {
    assert.equal(operationOf('DELETE', '/b?inventory&id=1'), 'DeleteBucketInventoryConfiguration')
    for (const [method, url] of [
      ['DELETE', '/b?inventory'],
      ['DELETE', '/b/k?acl'],
      ['PUT', '/b?analytics'],
      ['PUT', '/b/k?torrent'],
      ['GET', '/b?delete'],
    ] as const)
      assert.equal(operationOf(method, url), undefined, `${method} ${url}`)
  })
  it('is unknown for forms that S3 does not have', () => {
    assert.equal(operationOf('POST', '/b'), undefined)
    assert.equal(operationOf('PATCH', '/b/k'), undefined)
    assert.equal(operationOf('DELETE', '/'), undefined)
  })
})

describe('bucket and key of an S3 request', () => {
  for (const [host, path, bucket, key] of [
    ['localhost:4000', '/b/a/b//c/', 'b', 'a/b//c/'],
    ['127.0.0.1:4000', '/b', 'b', undefined],
    ['s3.us-west-2.amazonaws.com', '/b/k', 'b', 'k'],
    ['s3.localhost:4000', '/b/k', 'b', 'k'],
    ['b.localhost:4000', '/k', 'b', 'k'],
    ['b.s3.localhost', '/', 'b', undefined],
    ['my.dotted.bucket.s3.us-west-2.amazonaws.com', '/k/l', 'my.dotted.bucket', 'k/l'],
    ['b.s3-us-west-2.amazonaws.com', '/k', 'b', 'k'],
  ] as const)
    it(`are ${bucket} and ${key} of ${host}${path}`, () => {
      assert.deepEqual(restTargetOf(host, path), { bucket, key })
    })
})
