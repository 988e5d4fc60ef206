// The same of services that are asked in JSON: operation → input.
import { LONG_LIVED } from '../src/kernel/test-certificate.ts'

const base64 = (text: string) => Buffer.from(text).toString('base64')

/** Of AWS JSON: operation → inputs. */
export const jsonRecipes: Record<string, object[]> = {
  ImportCertificate: [
    { Certificate: base64(LONG_LIVED.certificate), PrivateKey: base64(LONG_LIVED.key) },
    {
      CertificateArn: '{certificatearn}',
      Certificate: base64(LONG_LIVED.certificate),
      PrivateKey: base64(LONG_LIVED.key),
    },
  ],
  RequestCertificate: [
    { DomainName: 'h{n}.localhost', ValidationMethod: 'DNS' },
    { DomainName: 'h{n}.example.com', ValidationMethod: 'DNS', SubjectAlternativeNames: ['*.example.com'] },
    { DomainName: 'h{n}.example.org', ValidationMethod: 'HTTP', KeyAlgorithm: 'EC_prime256v1' },
  ],
  RenewCertificate: [{ CertificateArn: '{certificatearn}' }],
  DescribeCertificate: [{ CertificateArn: '{certificatearn}' }],
  GetCertificate: [{ CertificateArn: '{certificatearn}' }],
  DeleteCertificate: [{ CertificateArn: '{certificatearn}' }],
  ListCertificates: [{ Includes: { keyTypes: ['EC_prime256v1'] }, MaxItems: 2 }],
  AddTagsToCertificate: [{ CertificateArn: '{certificatearn}', Tags: [{ Key: 'k{n}', Value: 'v' }] }],
  RemoveTagsFromCertificate: [{ CertificateArn: '{certificatearn}', Tags: [{ Key: 'k{n}' }] }],
  ListTagsForCertificate: [{ CertificateArn: '{certificatearn}' }],

  CreateLogGroup: [{ logGroupName: 'g{n}', tags: { k: 'v' } }],
  DeleteLogGroup: [{ logGroupName: '{loggroupname}' }],
  CreateLogStream: [{ logGroupName: '{loggroupname}', logStreamName: 's{n}' }],
  DeleteLogStream: [{ logGroupName: '{loggroupname}', logStreamName: 's{n}' }],
  DescribeLogGroups: [{}, { logGroupNamePrefix: 'g', limit: 2 }, { logGroupNamePattern: 'g' }],
  DescribeLogStreams: [
    { logGroupName: '{loggroupname}', orderBy: 'LastEventTime', descending: true, limit: 1 },
    { logGroupIdentifier: '{loggrouparn}', logStreamNamePrefix: 's' },
  ],
  PutLogEvents: [
    {
      logGroupName: '{loggroupname}',
      logStreamName: 's{n}',
      logEvents: [
        { timestamp: 1_000, message: '{"n":{n}}' },
        { timestamp: 2_000, message: 'line {n}' },
      ],
    },
  ],
  GetLogEvents: [
    { logGroupName: '{loggroupname}', logStreamName: 's{n}', limit: 2, startFromHead: true },
    { logGroupName: '{loggroupname}', logStreamName: 's{n}', nextToken: '{nextforwardtoken}' },
  ],
  FilterLogEvents: [
    { logGroupName: '{loggroupname}', filterPattern: '{ $.n > 1 || $.a IS NULL }' },
    { logGroupName: '{loggroupname}', filterPattern: '[w, n=1*]', limit: 1, interleaved: true },
    { logGroupName: '{loggroupname}', filterPattern: '?line -x', logStreamNames: ['s{n}'] },
  ],
  PutRetentionPolicy: [{ logGroupName: '{loggroupname}', retentionInDays: 7 }],
  DeleteRetentionPolicy: [{ logGroupName: '{loggroupname}' }],
  TagResource: [{ resourceArn: '{loggrouparn}', tags: { k: 'v{n}' } }],
  UntagResource: [{ resourceArn: '{loggrouparn}', tagKeys: ['k'] }],
  TagLogGroup: [{ logGroupName: '{loggroupname}', tags: { k: 'v{n}' } }],
  UntagLogGroup: [{ logGroupName: '{loggroupname}', tags: ['k'] }],
  ListTagsLogGroup: [{ logGroupName: '{loggroupname}' }],
}
