// AWS's own domain: names that lead here for every program of this machine, or to nobody.
import assert from 'node:assert/strict'
import { lookup } from 'node:dns/promises'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { ETC_HOSTS, putBlock } from '../src/engines/hosts/etc-hosts.ts'
import { makeTestHome } from './support/home.ts'
import { writeProbeApp } from './support/probe-app.ts'
import { until } from './support/world.ts'

const NAME = 'pbt-shop.us-west-2.elasticbeanstalk.com'

describe("a home with AWS's own domain", { concurrency: 1, timeout: 5 * 60_000 }, () => {
  const home = makeTestHome()
  const folder = join(home.dir, '../probe-app')
  after(async () => {
    assert.deepEqual(await home.remove(), [])
    assert.doesNotMatch(readFileSync(ETC_HOSTS, 'utf8'), /pbt-shop|polebean-probe/)
  })

  it('leads names of its environments here, for programs that resolve them as ever', async () => {
    writeProbeApp(folder, 'v1')
    await home.polebean(['start', '--domain', 'elasticbeanstalk.com'])
    await home.polebean(['up', folder, '--name', 'pbt-shop'])
    const found = (await lookup(NAME, { all: true, family: 4 })).map(({ address }) => address)
    // glibc makes 127.0.0.1 of ::1 as well.
    assert.deepEqual(new Set(found), new Set(['127.0.0.1']))
    const port = home.settings().ports.http
    const { stdout } = await home.client(['curl', '-sS', `http://${NAME}:${port}/`])
    assert.match(stdout, /^v1/)
  })

  it('writes them again when somebody took them away', async () => {
    putBlock(home.settings().id, [])
    await until('the name is back', async () => readFileSync(ETC_HOSTS, 'utf8').includes(NAME), 40_000)
  })

  it('makes no environment while a name leads elsewhere', async () => {
    const before = readFileSync(ETC_HOSTS, 'utf8')
    const { Environments } = await home.aws(['elasticbeanstalk', 'describe-environments'])
    const [{ SolutionStackName: stack, VersionLabel: label } = { SolutionStackName: '', VersionLabel: '' }] =
      Environments as { SolutionStackName: string; VersionLabel: string }[]
    // The first line counts.
    const probe = 'polebean-probe.us-west-2.elasticbeanstalk.com'
    writeFileSync(ETC_HOSTS, `192.0.2.7 ${probe}\n${before}`)
    try {
      // Names are looked at each half minute, and as a server begins.
      await home.polebean(['restart'])
      const refused = () =>
        home.awsFails([
          ...['elasticbeanstalk', 'create-environment', '--application-name', 'pbt-shop'],
          ...['--environment-name', 'pbt-other', '--solution-stack-name', stack, '--version-label', label],
        ])
      await until('it is refused for its name', async () => /is 192\.0\.2\.7/.test(await refused()), 40_000)
    } finally {
      writeFileSync(ETC_HOSTS, readFileSync(ETC_HOSTS, 'utf8').replace(`192.0.2.7 ${probe}\n`, ''))
    }
  })

  it('gives a name back with its environment', async () => {
    await home.polebean(['terminate', 'pbt-shop', '--force'])
    await until('the name is gone', () => !readFileSync(ETC_HOSTS, 'utf8').includes(NAME), 40_000)
  })
})
