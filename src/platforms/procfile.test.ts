import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseProcfile } from './procfile.ts'

describe('a Procfile', () => {
  it('names processes; web comes first, whatever its line', () => {
    assert.deepEqual(
      parseProcfile('\ufeff# comment\r\nworker:  python w.py\r\n\r\nweb: gunicorn -b :$PORT "app:app"  \r\n'),
      {
        kind: 'processes',
        processes: [
          { name: 'web', command: 'gunicorn -b :$PORT "app:app"' },
          { name: 'worker', command: 'python w.py' },
        ],
      },
    )
  })

  const BAD: [string, RegExp][] = [
    ['web gunicorn', /line 1 is not of the form 'name: command': web gunicorn/],
    ['web:', /line 1 is not of the form/],
    ['we b: x', /line 1 is not of the form/],
    ['../x: y', /line 1 is not of the form/],
    ['web: a\nweb: b', /line 2 names the process 'web' a second time/],
    ['nginx: a', /name that the platform uses itself/],
    ['', /names no process/],
    ['web: a\0b', /character that no command may have/],
    [Array.from({ length: 17 }, (_, each) => `p${each}: x`).join('\n'), /at most 16/],
  ]
  for (const [text, problem] of BAD) {
    it(`is refused with a sentence: ${JSON.stringify(text.slice(0, 20))}`, () => {
      const result = parseProcfile(text)
      assert.ok(result.kind === 'problem')
      assert.match(result.problem, problem)
    })
  }
})
