// Builds a layer in a sandbox that has an instance's network, sees its inputs read-only, and writes to a disk of its own.
import { createHash } from 'node:crypto'
import { chmodSync, chownSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { availableParallelism, totalmem } from 'node:os'
import { join } from 'node:path'
import type { Clock } from '../../kernel/clock.ts'
import { EngineError } from '../../kernel/errors.ts'
import type { Home } from '../../kernel/home.ts'
import { run, runOk } from '../../kernel/process.ts'
import { rangeOf } from '../network/names.ts'
import type { Router } from '../network/router.ts'
import { waitUntilDetached } from './disk.ts'
import type { BuildRequest, BuildResult } from './engine.ts'
import { checkPath, directory, type Entry } from './guest-tree.ts'
import { idleArgv } from './init-script.ts'
import { digestOf, type Layers, LayerTooLarge } from './layers.ts'
import type { Bind } from './oci-config.ts'
import { parseVictim, readKernelLog, readOomKills } from './oom.ts'
import type { Sandboxes } from './sandbox.ts'

const OUTPUT_KEPT_BYTES = 64 * 1024
const TIMED_OUT = 124
const MIB = 1 << 20
/** A build's own limit, whatever the instances have. */
const MEMORY_BYTES_MAX = Math.min(4096 * MIB, Math.max(512 * MIB, Math.floor(totalmem() / 2)))

type Deps = { home: Home; router: Router; clock: Clock; sandboxes: Sandboxes; layers: Layers }

export type Builder = {
  build(request: BuildRequest): Promise<BuildResult>
  /** Ends and removes builds that a dead control plane left behind. Call before the first build. */
  sweep(): Promise<void>
}

export function makeBuilder({ home, router, clock, sandboxes, layers }: Deps): Builder {
  const dir = join(home.dir, 'builds')
  const underWay = new Map<string, Promise<BuildResult>>()
  const addresses = new Set<string>()

  const build = async (request: BuildRequest): Promise<BuildResult> => {
    const digest = digestOf(request.key)
    if (layers.has(digest)) return { exit: 0, output: '', digest }
    const id = `b-${createHash('sha256').update(request.key).digest('hex').slice(0, 17)}`
    const missing = request.layers.find((layer) => !layers.has(layer.digest))
    if (missing) throw new EngineError(`the layer ${missing.digest} is not there`)
    const address = rangeOf(home.cidr).builders.find((one) => !addresses.has(one))
    if (!address) throw new EngineError('too many builds at once')
    addresses.add(address)
    const folder = join(dir, id)
    const memoryBytes = request.memoryBytesMax ?? MEMORY_BYTES_MAX
    const image = join(folder, 'disk.img')
    try {
      rmSync(folder, { recursive: true, force: true })
      const inputs = await layInputs(join(folder, 'in'), home.idBase, request)
      const pid = await sandboxes.create({
        id,
        address,
        image,
        // Room for the result, for its unpacked sources, and for what a package manager keeps meanwhile.
        diskBytes: request.outputBytesMax * 2 + 1024 * MIB,
        revision: 1,
        layers: request.layers,
        readonlyLayers: true,
        readonlyBinds: inputs,
        output: ['/build/out', request.target],
        env: {},
        files: [],
        folders: FOLDERS,
        argv: idleArgv,
        cpu: availableParallelism(),
        memoryBytes,
        pids: 2_048,
        tmpBytes: null,
      })
      await router.attach({ id, address }, pid)
      await sandboxes.start(id)
      const result = await runInside(id, request)
      const oom = killsOf(id, memoryBytes)
      await sandboxes.destroy(id)
      await waitUntilDetached(clock, image)
      if (result.exit !== 0) return { ...result, digest: '', ...oom }
      await layers.commit(request.key, image, request.outputBytesMax)
      return { ...result, digest, ...oom }
    } catch (error) {
      if (error instanceof LayerTooLarge) return { exit: 1, output: error.message, digest: '' }
      throw error
    } finally {
      await sandboxes.destroy(id)
      await router.detach({ id, address })
      addresses.delete(address)
      rmSync(folder, { recursive: true, force: true })
    }
  }

  const killsOf = (id: string, limitBytes: number): Pick<BuildResult, 'oom'> => {
    const cgroup = sandboxes.cgroupOf(id)
    if (!readOomKills(cgroup)) return {}
    return { oom: { process: parseVictim(readKernelLog(), cgroup).process, limitBytes } }
  }

  const runInside = async (id: string, { argv, env, timeoutMs }: BuildRequest) => {
    const seconds = String(Math.ceil(timeoutMs / 1000))
    const inside = ['/bin/sh', '-c', RUN, seconds, String(OUTPUT_KEPT_BYTES), ...argv]
    const result = await run(
      // It may hold the password of a proxy or an index.
      sandboxes.execArgvByFile(id, 'webapp', { HOME: '/build/home', ...env }, '/build/out', inside),
      {
        timeoutMs: timeoutMs + 30_000,
      },
    )
    const output = result.stdout.toString() + result.stderr.toString().slice(-2_000)
    const late = result.exit === TIMED_OUT ? `\n[ended after ${seconds} seconds]\n` : ''
    return { exit: result.exit, output: output + late }
  }

  return {
    async build(request) {
      const before = underWay.get(request.key)
      if (before) return before
      const work = build(request)
      underWay.set(request.key, work)
      try {
        return await work
      } finally {
        underWay.delete(request.key)
      }
    },
    async sweep() {
      for (const id of sandboxes.ids().filter((one) => one.startsWith('b-'))) await sandboxes.destroy(id)
      mkdirSync(dir, { recursive: true, mode: 0o700 })
      for (const name of readdirSync(dir)) rmSync(join(dir, name), { recursive: true, force: true })
    },
  }
}

// $0 seconds, $1 bytes of output, then the program. Output goes to the build's own disk: no pipe that could block, and
// what is too much hurts the build alone.
const RUN = `
kept=$1
shift
timeout -k 5 "$0" "$@" >/build/home/.output 2>&1
code=$?
tail -c "$kept" /build/home/.output
exit $code
`

const FOLDERS: Entry[] = [
  directory('/build/in'),
  directory('/build/out', 0o755, 'webapp'),
  directory('/build/home', 0o755, 'webapp'),
]

/** Copies files, so that webapp may read them whatever their mode; folders are seen where they lie. */
async function layInputs(
  folder: string,
  idBase: number,
  { inputs, files, target }: BuildRequest,
): Promise<Bind[]> {
  checkPath(target)
  mkdirSync(folder, { recursive: true })
  const binds: Bind[] = [{ source: folder, target: '/build/in' }]
  const place = (name: string) => {
    if (!/^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/.test(name))
      throw new EngineError(`not a file name: ${JSON.stringify(name)}`)
    return join(folder, name)
  }
  for (const { name, path } of inputs) {
    const to = place(name)
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
      mkdirSync(to)
      binds.push({ source: path, target: `/build/in/${name}` })
      continue
    }
    await runOk(['cp', '--reflink=auto', '--sparse=auto', '--', path, to], { timeoutMs: 120_000 })
    chmodSync(to, 0o444)
  }
  for (const { name, content, mode } of files) {
    writeFileSync(place(name), content)
    chmodSync(place(name), (mode & 0o777) | 0o444)
  }
  chownSync(folder, idBase, idBase)
  return binds
}
