// HTTPS and rules of an environment's load balancer on real engines, as docs/guide.md has it: a certificate of acm, curl with
// HTTP/2, a redirect, a certificate that is replaced under requests, and what is there after HAProxy and the server died.
import assert from 'node:assert/strict'
import { cpSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { makeCertificate } from '../src/kernel/test-certificate.ts'
import { makeTestHome, root, runProgram } from './support/home.ts'

const NAME = 'shop-tls'
const HOST = `${NAME}.us-west-2.elasticbeanstalk.localhost`

describe('an environment with HTTPS', { concurrency: 1 }, () => {
  const home = makeTestHome()
  after(async () => assert.deepEqual(await home.remove(), []))
  const folder = join(home.dir, '../shop')
  const ports = () => {
    const { http } = home.settings().ports
    return { http, https: http === 80 ? 443 : http + 363 }
  }
  let arn = ''
  const importCertificate = async (name: string, ...more: string[]) => {
    const { certificate, key } = makeCertificate([HOST, name])
    const file = join(home.dir, `../${name}`)
    writeFileSync(`${file}.crt`, certificate)
    writeFileSync(`${file}.key`, key)
    const given = ['--certificate', `fileb://${file}.crt`, '--private-key', `fileb://${file}.key`]
    const imported = await home.aws(['acm', 'import-certificate', ...given, ...more])
    return { arn: String(imported.CertificateArn), file: `${file}.crt` }
  }
  /** curl trusts nothing but this file, and knows where the name is. */
  const curl = async (trusted: string, url: string, ...more: string[]) => {
    const where = Object.values(ports()).flatMap((port) => ['--resolve', `${HOST}:${port}:127.0.0.1`])
    const said = ['-s', '-S', '-o', '/dev/null', '-w', '%{http_code} %{http_version} %{redirect_url}']
    const ran = await runProgram(['curl', ...said, '--cacert', trusted, ...where, ...more, url])
    return `${ran.stdout.trim()}${ran.status === 0 ? '' : ` ${ran.stderr.trim()}`}`
  }
  const update = async (...settings: string[]) => {
    const environment = ['--environment-name', NAME]
    await home.aws([
      'elasticbeanstalk',
      'update-environment',
      ...environment,
      '--option-settings',
      ...settings,
    ])
    await home.aws(['elasticbeanstalk', 'wait', 'environment-updated', '--environment-names', NAME])
  }
  const option = (name: string, value: string, port = '443') =>
    `Namespace=aws:elbv2:listener:${port},OptionName=${name},Value=${value}`
  const listener = async (port: number) => {
    const { LoadBalancers } = await home.aws(['elbv2', 'describe-load-balancers'])
    const [{ LoadBalancerArn }] = LoadBalancers as [{ LoadBalancerArn: string }]
    const found = await home.aws(['elbv2', 'describe-listeners', '--load-balancer-arn', LoadBalancerArn])
    const all = found.Listeners as { Port: number; ListenerArn: string }[]
    return all.find(({ Port }) => Port === port)!.ListenerArn
  }
  /** Asked again for a while: engines follow a moment later. */
  const until = async (wanted: RegExp, ask: () => Promise<string>) => {
    let said = ''
    for (let i = 0; i < 50; i++) if (wanted.test((said = await ask()))) return said
    assert.match(said, wanted)
    return said
  }
  let first = { arn: '', file: '' }

  before(async () => {
    cpSync(join(root, 'samples/flask-guestbook'), folder, { recursive: true })
    await home.polebean(['up', folder, '--name', NAME])
  })

  it('shows the certificate that was imported, and speaks HTTP/2', async () => {
    first = await importCertificate('first.example')
    arn = first.arn
    const url = `https://${HOST}:${ports().https}/`
    await update(option('Protocol', 'HTTPS'), option('SSLCertificateArns', arn))
    assert.equal(await until(/^200/, () => curl(first.file, url)), '200 2')
    assert.equal(await curl(first.file, url, '--http1.1'), '200 1.1')
    assert.match(await curl(first.file, url, '--tls-max', '1.1'), /^000/)
    assert.match(await home.awsFails(['acm', 'delete-certificate', '--certificate-arn', arn]), /is in use/)
  })

  it('leads from HTTP to HTTPS, and answers by a rule of its own', async () => {
    const { http, https } = ports()
    const ListenerArn = await listener(80)
    const redirect = 'Type=redirect,RedirectConfig={Protocol=HTTPS,Port=443,StatusCode=HTTP_301}'
    await home.aws(['elbv2', 'modify-listener', '--listener-arn', ListenerArn, '--default-actions', redirect])
    const url = `http://${HOST}${http === 80 ? '' : `:${http}`}/a?b=c`
    const secured = `https://${HOST}${https === 443 ? '' : `:${https}`}/a?b=c`
    const answer = await until(/^301/, () => curl(first.file, url))
    assert.equal(answer.replace(':443', ''), `301 1.1 ${secured}`)
    assert.match(await curl(first.file, url, '-L'), /^404 2/, 'the sample has no such page')
    const says = JSON.stringify([
      {
        Type: 'fixed-response',
        FixedResponseConfig: { StatusCode: '418', ContentType: 'text/plain', MessageBody: 'tea' },
      },
    ])
    const made = await home.aws([
      ...['elbv2', 'create-rule', '--listener-arn', await listener(443), '--priority', '5'],
      ...['--conditions', 'Field=path-pattern,Values=/tea*', '--actions', says],
    ])
    const [{ RuleArn }] = made.Rules as [{ RuleArn: string }]
    const tea = () => curl(first.file, `https://${HOST}:${https}/teapot`)
    await until(/^418/, tea)
    await home.aws(['elbv2', 'delete-rule', '--rule-arn', RuleArn])
    await until(/^404/, tea)
  })

  it('shows another certificate under requests, of which none fails', async () => {
    const url = `https://${HOST}:${ports().https}/`
    const requests: Promise<string>[] = []
    const trusting = (count: number) => {
      for (let i = 0; i < count; i++) requests.push(curl(first.file, url, '-k'))
    }
    trusting(10)
    const second = await importCertificate('second.example', '--certificate-arn', arn)
    trusting(10)
    await until(/^200/, () => curl(second.file, url))
    assert.match(await curl(first.file, url), /^000.*certificate/i)
    for (const said of await Promise.all(requests)) assert.equal(said, '200 2')
    first = second
  })

  it('is as it was after HAProxy and the server died', async () => {
    const url = `https://${HOST}:${ports().https}/`
    const { id } = home.settings()
    const dir = `/run/polebean/${id}/haproxy`
    const { stdout } = await runProgram(['pgrep', '-f', `${dir}/haproxy.cfg`])
    for (const pid of stdout.trim().split('\n')) process.kill(Number(pid), 'SIGKILL')
    await until(/^200/, () => curl(first.file, url))
    await home.polebean(['restart'])
    await until(/^200/, () => curl(first.file, url))
    const holding = readdirSync(dir).filter((name) => {
      const file = join(dir, name)
      return statSync(file).isFile() && readFileSync(file, 'latin1').includes('PRIVATE KEY')
    })
    assert.match(holding.join(), /^certificate-[0-9a-f]{16}\.pem$/, 'in a file of its own')
    assert.equal(statSync(join(dir, holding[0]!)).mode & 0o777, 0o600)
    const logs = await runProgram(['grep', '-rl', 'PRIVATE KEY', join(home.dir, 'log')])
    assert.equal(logs.stdout, '', 'no log has it')
  })

  it('gives the certificate back when it has no use for it any more', async () => {
    await update(option('ListenerEnabled', 'false'))
    await home.aws(['acm', 'delete-certificate', '--certificate-arn', arn])
    const { CertificateSummaryList } = await home.aws([
      ...['acm', 'list-certificates', '--includes', 'keyTypes=EC_prime256v1'],
    ])
    assert.deepEqual(CertificateSummaryList, [])
  })
})
