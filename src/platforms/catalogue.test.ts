import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { makeCatalogue, type Runtime } from './catalogue.ts'
import { interpretersSeen, probeRuntimes } from './probe.ts'

const runtime = (family: Runtime['family'], language: string): Runtime => ({
  family,
  language,
  program: `/usr/bin/${family}${language}`,
  build: `${language}.2 (main)`,
})
const catalogue = makeCatalogue([
  runtime('python', '3.9'),
  runtime('nodejs', '26'),
  runtime('python', '3.11'),
])

describe('the catalogue of platforms', () => {
  it('lists the stacks of this machine, newest first, under the names of AWS', () => {
    assert.deepEqual(
      catalogue.stacks.map((stack) => stack.solutionStackName),
      [
        '64bit Amazon Linux 2023 v4.6.0 running Python 3.11',
        '64bit Amazon Linux 2023 v4.6.0 running Python 3.9',
        '64bit Amazon Linux 2023 v6.5.0 running Node.js 26',
      ],
    )
    assert.equal(catalogue.stacks[0]?.branchName, 'Python 3.11 running on 64bit Amazon Linux 2023')
    assert.equal(
      catalogue.stacks[0]?.platformArn('us-west-2'),
      'arn:aws:elasticbeanstalk:us-west-2::platform/Python 3.11 running on 64bit Amazon Linux 2023/4.6.0',
    )
  })

  it('resolves any patch version of a branch that runs here and echoes it', () => {
    for (const asked of [
      '64bit Amazon Linux 2023 v4.0.1 running Python 3.11',
      'arn:aws:elasticbeanstalk:eu-central-1::platform/Python 3.11 running on 64bit Amazon Linux 2023/4.0.1',
    ]) {
      const resolution = catalogue.resolve(asked)
      assert.ok(resolution.kind === 'found')
      assert.equal(resolution.stack.runtime.language, '3.11')
      assert.equal(resolution.version, '4.0.1')
      assert.ok([resolution.solutionStackName, resolution.platformArn('eu-central-1')].includes(asked))
    }
  })

  it('names the command that adds a missing interpreter', () => {
    const python = catalogue.resolve('64bit Amazon Linux 2023 v4.6.0 running Python 3.13')
    assert.ok(python.kind === 'missing')
    assert.match(python.message, /sudo apt-get install python3\.13 python3\.13-venv/)
    assert.equal(catalogue.resolve('64bit Amazon Linux 2023 v6.5.0 running Node.js 22').kind, 'missing')
  })

  it('does not know what is no branch of AWS', () => {
    for (const asked of [
      '64bit Amazon Linux 2023 v4.6.0 running Python 3.99',
      '64bit Amazon Linux 2023 v4.6.0 running PHP 8.3',
      '64bit Amazon Linux 2 v3.5.0 running Python 3.8',
      'Python 3.11',
      '',
    ]) {
      assert.deepEqual(catalogue.resolve(asked), {
        kind: 'unknown',
        message: `No Solution Stack named '${asked}' found.`,
      })
    }
  })
})

describe('the probe', () => {
  it('finds the Node.js it is given, and leaves out one that does not run', async () => {
    const found = await probeRuntimes(process.execPath)
    const node = found.find((each) => each.family === 'nodejs')
    assert.equal(node?.build, process.version)
    assert.equal(
      (await probeRuntimes('/does/not/exist')).some((each) => each.family === 'nodejs'),
      false,
    )
  })
})

describe('interpreters that change', () => {
  it('are other platforms from then on', () => {
    const changing = makeCatalogue([runtime('python', '3.11')])
    const asked = '64bit Amazon Linux 2023 v4.6.0 running Python 3.13'
    assert.equal(changing.resolve(asked).kind, 'missing')
    changing.renew([runtime('python', '3.11'), runtime('python', '3.13')])
    assert.equal(changing.resolve(asked).kind, 'found')
    assert.equal(changing.stacks.length, 2)
  })

  it('are noticed by their files', () => {
    const dir = mkdtempSync(join(tmpdir(), 'interpreters-test-'))
    try {
      const seen = new Set<string>()
      const look = () => seen.add(interpretersSeen(dir, join(dir, 'lib')))
      look()
      writeFileSync(join(dir, 'python3.12'), '')
      writeFileSync(join(dir, 'python3.12-config'), '')
      look()
      look()
      assert.equal(seen.size, 2)
      utimesSync(join(dir, 'python3.12'), 1, 1)
      look()
      assert.equal(seen.size, 3, 'a new build')
      mkdirSync(join(dir, 'lib/python3.12/ensurepip'), { recursive: true })
      look()
      assert.equal(seen.size, 4, 'venv was added')
    } finally {
      rmSync(dir, { recursive: true })
    }
  })
})
