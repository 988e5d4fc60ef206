// A home of its own for an end-to-end test: started by the command line a user types, removed with everything it made.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { clientPrograms } from '../../tools/test/clients.mjs'
import { readHome, type HomeSettings } from '../../src/home.ts'
import { claim } from '../../src/engines/test-claims.ts'
import { reboot } from './world.ts'

export const root = fileURLToPath(new URL('../..', import.meta.url))
const polebean = join(root, 'bin/polebean')

export type Ran = { status: number; stdout: string; stderr: string }
export type RunOptions = { cwd?: string; env?: Record<string, string>; stdin?: string; timeoutMs?: number }

export function runProgram(
  argv: string[],
  { cwd = root, env = {}, stdin = '', timeoutMs = 240_000 }: RunOptions = {},
): Promise<Ran> {
  const [file = '', ...args] = argv
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { cwd, env: { ...process.env, ...env }, timeout: timeoutMs })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk))
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk))
    child.on('error', reject)
    child.on('close', (status) => resolve({ status: status ?? 128, stdout, stderr }))
    child.stdin.on('error', () => undefined)
    child.stdin.end(stdin)
  })
}

export type TestHome = {
  dir: string
  /** Runs the command line; its status must be the one given (0 unless said). */
  polebean(args: string[], options?: RunOptions & { status?: number }): Promise<Ran>
  /** Runs `aws` with the endpoint, keys and region of the home; answers its JSON. */
  aws(args: string[]): Promise<AwsAnswer>
  /** The same, but the call must fail; answers what `aws` said. */
  awsFails(args: string[]): Promise<string>
  client(argv: string[], options?: RunOptions): Promise<Ran>
  settings(): HomeSettings
  get(
    host: string,
    path?: string,
  ): Promise<{ status: number; body: string; headers: Record<string, unknown> }>
  /** Removes the home; what it left behind on the machine is answered, and should be nothing. */
  remove(): Promise<string[]>
}
// The answers of so many operations are read here that their types are left to the assertions.
export type AwsAnswer = { [name: string]: unknown }

/** `name` is the last part of the home's path. */
export function makeTestHome(name = 'home'): TestHome {
  const dir = join(mkdtempSync(join(tmpdir(), 'pbe-')), name)
  const unclaim = claim(join(dir, '..'))
  const bin = clientPrograms() as string
  const env = {
    POLEBEAN_HOME: dir,
    PATH: `${bin}:${process.env.PATH}`,
    HOME: join(dir, '..'),
    AWS_PAGER: '',
    NO_COLOR: '1',
  }
  const run = (argv: string[], options: RunOptions = {}) =>
    runProgram(argv, { ...options, env: { ...env, ...options.env } })
  const aws = (args: string[]) => run([polebean, 'exec', '--', join(bin, 'aws'), '--output', 'json', ...args])

  return {
    dir,
    async polebean(args, { status = 0, ...options } = {}) {
      const ran = await run([polebean, ...args], options)
      assert.equal(ran.status, status, `polebean ${args.join(' ')}\n${ran.stderr}\n${ran.stdout}`)
      return ran
    },
    async aws(args) {
      const ran = await aws(args)
      assert.equal(ran.status, 0, `aws ${args.join(' ')}\n${ran.stderr}`)
      return JSON.parse(ran.stdout || '{}')
    },
    async awsFails(args) {
      const ran = await aws(args)
      assert.notEqual(ran.status, 0, `aws ${args.join(' ')} should have failed`)
      return ran.stderr
    },
    client: (argv, options) => run([polebean, 'exec', '--', ...argv], options),
    settings() {
      const home = readHome(dir)
      assert.ok(home, 'the home was made')
      return home
    },
    get(host, path = '/') {
      const port = readHome(dir)!.ports.http
      return new Promise((resolve, reject) => {
        const call = request({ host: '127.0.0.1', port, path, headers: { host } }, (response) => {
          let body = ''
          response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk))
          response.on('end', () =>
            resolve({ status: response.statusCode ?? 0, body, headers: response.headers }),
          )
        })
        call.on('error', reject)
        call.end()
      })
    },
    async remove() {
      const settings = readHome(dir)
      if (settings) {
        const ran = await run([polebean, 'down', '--purge', '--force'])
        const left = await leftOvers(settings.id, dir)
        if (ran.status !== 0) left.push(`down --purge: exit ${ran.status}: ${ran.stderr}`)
        if (left.length > 0) await reboot(settings) // nothing may stay behind on the machine
        rmSync(join(dir, '..'), { recursive: true, force: true })
        unclaim()
        return left
      }
      rmSync(join(dir, '..'), { recursive: true, force: true })
      unclaim()
      return []
    },
  }
}

/** Everything on this machine that carries the home's id or folder: namespaces, links, mounts, cgroups, processes. */
export async function leftOvers(id: string, dir: string): Promise<string[]> {
  const lines = async (argv: string[]) => (await runProgram(argv)).stdout.split('\n')
  const mentions = (line: string) =>
    line.includes(`pb-${id}`) || line.includes(`pb${id}`) || line.includes(`/${id}/`) || line.includes(dir)
  const processes = (await lines(['ps', '-eo', 'pid=,args='])).filter(
    (line) => !line.includes('ps -eo') && !line.includes('--test'),
  )
  const found = [
    ...(await lines(['ip', 'netns', 'list'])).filter(mentions).map((line) => `namespace ${line}`),
    ...(await lines(['ip', '-o', 'link'])).filter((line) => line.includes(id)).map((line) => `link ${line}`),
    ...readFileSync('/proc/self/mounts', 'utf8')
      .split('\n')
      .filter(mentions)
      .map((line) => `mount ${line}`),
    ...(await lines(['losetup', '-a'])).filter(mentions).map((line) => `loop ${line}`),
    ...(await lines(['find', '/sys/fs/cgroup', '-type', 'd', '-name', `*${id}*`]))
      .filter(Boolean)
      .map((line) => `cgroup ${line}`),
    ...(await lines(['nft', 'list', 'tables']))
      .filter((line) => line.includes(id))
      .map((line) => `table ${line}`),
    ...processes.filter(mentions).map((line) => `process ${line}`),
  ]
  return found
}
