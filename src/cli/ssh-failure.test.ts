import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isForRoot, whyNoConnection, whyNoFacts, whyNoSudo } from './ssh-failure.ts'

// As OpenSSH 9.2 and 10.0 print them; with \r where ssh had the terminal.
describe('why there is no connection', () => {
  const cases: [stderr: string, sentence: RegExp][] = [
    [
      'ssh: Could not resolve hostname shop: Name or service not known\r\n',
      /^ssh does not know the host shop: Name or service not known$/,
    ],
    [
      'ssh: connect to host shop.example port 22: Connection timed out\r\n',
      /^ssh does not reach me@shop: Connection timed out$/,
    ],
    [
      'No ED25519 host key is known for shop and you have requested strict checking.\nHost key verification failed.\n',
      /accept it: ssh me@shop$/,
    ],
    [
      '@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.\n',
      /not the one that ssh knows.*ssh-keygen -R HOST$/,
    ],
    [
      'Banner of the house\nme@shop: Permission denied (publickey,password).\r\n',
      /^me@shop does not let you in \(me@shop: Permission denied \(publickey,password\)\.\)/,
    ],
    [
      'command-line: line 0: Bad configuration option: nosuch\r\n',
      /^ssh does not know an option that it was given: .*nosuch$/,
    ],
    ['kex_exchange_identification: read: Connection reset by peer\n', /failed: kex_exchange_identification/],
    ['', /^ssh to me@shop failed: it says nothing; try by hand with: ssh -v$/],
  ]
  for (const [stderr, sentence] of cases)
    it(JSON.stringify(stderr.trim().split('\n').at(-1)), () =>
      assert.match(whyNoConnection('me@shop', stderr), sentence),
    )
})

describe('why polebean there does not tell', () => {
  const why = (status: number, stderr: string) => whyNoFacts('me@shop', 'polebean', { status, stderr })
  it('is that it is not there, in the words of bash, dash, zsh and fish', () => {
    for (const stderr of [
      'bash: line 1: polebean: command not found\n',
      'sh: 1: polebean: not found\n',
      'zsh:1: command not found: polebean\n',
      'fish: Unknown command: polebean\n',
    ])
      assert.match(why(127, stderr), /^there is no polebean on me@shop; name it with --remote-polebean PATH/)
  })
  it('is what it says itself, all of it', () =>
    assert.equal(
      why(1, 'motd\npolebean: not set up yet; run: npm run setup   (in /srv/p)\n'),
      'me@shop says: not set up yet; run: npm run setup   (in /srv/p)',
    ))
  it('is its status when it says nothing', () =>
    assert.equal(why(3, ''), 'me@shop says: polebean ended with status 3'))
  it('is that sudo is not there, wants a password, allows it not or does not find it', () => {
    for (const [status, stderr] of [
      [127, 'bash: line 1: sudo: command not found'],
      [1, 'sudo: a password is required'],
      [1, 'me is not in the sudoers file.'],
      [1, 'sudo: polebean: command not found'],
    ] as const)
      assert.ok(
        whyNoSudo('me@shop', { status, stderr })?.includes(`sudo does not help: ${stderr}; log in as`),
      )
    assert.equal(
      whyNoSudo('me@shop', { status: 1, stderr: 'polebean: there is no Polebean home' }),
      undefined,
    )
  })
  it('is asked again as root only when the key is another user’s', () => {
    assert.ok(isForRoot('polebean: the access key of /x belongs to another user; run this as that user'))
    assert.ok(!isForRoot('polebean: there is no Polebean home in /x'))
  })
})
