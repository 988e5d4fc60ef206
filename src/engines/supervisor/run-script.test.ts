import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { runOk } from '../../kernel/process.ts'
import { quote, renderLogScript, renderRunScript } from './run-script.ts'
import { parseStatus } from './runsv.ts'

const service = { name: 'web', argv: ['daemon', '-f', "it's $HOME"], env: { TOKEN: 'a b' }, filesMax: 1024 }

describe('run script', () => {
  it('quotes every word, limits files and becomes the daemon', () => {
    assert.equal(
      renderRunScript(service),
      `#!/usr/bin/env -S -i /bin/sh
exec 2>&1
cd /
ulimit -n 1024 || echo 'web: cannot have 1024 open files'
export 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
export 'LC_ALL=C.UTF-8'
export 'TOKEN=a b'
exec 'daemon' '-f' 'it'\\''s $HOME'
`,
    )
  })

  it('hands words to the program byte for byte', async () => {
    const words = ["'", '"', '$(id)', '`id`', 'a\nb', '\\', '*', 'ü', '']
    const script = renderRunScript({ ...service, argv: ['printf', '[%s]', ...words] })
    assert.equal(await runOk(['sh', '-c', script]), words.map((word) => `[${word}]`).join(''))
  })

  it('refuses what a script cannot hold', () => {
    assert.throws(() => quote('a\0b'), /NUL/)
    assert.throws(() => renderRunScript({ ...service, argv: [] }), /nothing to run/)
    assert.throws(() => renderRunScript({ ...service, filesMax: 1.5 }), /open files/)
  })

  it('logs into a folder with a blank in its name', () => {
    assert.match(renderLogScript('/home of/log'), /exec svlogd -tt -l 9000 -b 16384 '\/home of\/log'/)
  })
})

describe("runsv's status record", () => {
  it('is read as runit writes it', () => {
    const record = Buffer.alloc(20)
    record.writeBigUInt64BE(4611686018427387914n + 1_700_000_000n, 0)
    record.writeUInt32BE(250_000_000, 8)
    record.writeUInt32LE(4711, 12)
    record[17] = 'u'.charCodeAt(0)
    record[19] = 1
    assert.deepEqual(parseStatus(record), { pid: 4711, wanted: 'up', state: 'run', since: 1_700_000_000_250 })
    record[19] = 2
    assert.equal(parseStatus(record)?.pid, null)
    assert.equal(parseStatus(Buffer.alloc(3)), null)
  })
})
