// What a platform makes of a bundle: layers to build, and the software that runs on them. Values only; the service
// hands the builds to the compute engine and writes the software to the instances:
//
//   const plan = planVersion({ stack, listing, bundle, options, configuration })       // platform.ts
//   for (const build of plan.builds) digests[build.name] = (await compute.build(buildRequest(build, digests))).digest
//   cloud.ec2.putInstanceSoftware(context, instanceId, softwareOf(plan, digests))
//
// Every answer follows from its arguments, so a plan is computed again wherever it is needed instead of kept.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { BuildRequest, InstanceFile, LayerMount } from '../engines/compute/engine.ts'
import type { Stack } from './catalogue.ts'

export type BuildName = 'bundle' | 'dependencies' | 'runtime'

/** A BuildRequest that names the layers it sees by the builds that make them. */
export type PlannedBuild = Omit<BuildRequest, 'layers'> & {
  name: BuildName
  /** Builds that come before, and where their layers are seen. */
  needs: Mount[]
}

export type Mount = { name: BuildName; target: string }

export type Plan = {
  kind: 'plan'
  /** In the order in which they are made. */
  builds: PlannedBuild[]
  /** Which of their layers an instance gets, and where. */
  mounts: Mount[]
  platform: { name: string; version: string }
  /** The application's environment, as the engine stores it; the processes get theirs from `files`. */
  env: Record<string, string>
  files: InstanceFile[]
  startCheck: { argv: string[]; timeoutMs: number }
  /** Plain sentences for WARN events. */
  warnings: string[]
  /** For an INFO event: what runs, and why that. */
  notes: string[]
}

export type PlanProblem = { kind: 'problem'; problem: string }

export type Digests = Partial<Record<BuildName, string>>

/** What the machine's owner configured for pip or npm, for the build sandbox: see configuration.ts. */
export type BuildConfiguration = {
  files: { name: string; content: string; mode: number }[]
  inputs: { name: string; path: string }[]
  env: Record<string, string>
  /** npm's own package, where this machine has one (nodejs/find-npm.ts). */
  npm?: { dir: string; version: string }
}

export function buildRequest(build: PlannedBuild, digests: Digests): BuildRequest {
  const { name: _, needs, ...request } = build
  return { ...request, layers: needs.map((need) => layerOf(need, digests)) }
}

/** The fields of a SoftwareIntent (services/cloud.ts). */
export function softwareOf(plan: Plan, digests: Digests) {
  return {
    platform: plan.platform,
    layers: plan.mounts.map((mount) => layerOf(mount, digests)),
    env: plan.env,
    files: plan.files,
    startCheck: plan.startCheck,
  }
}

function layerOf({ name, target }: Mount, digests: Digests): LayerMount {
  const digest = digests[name]
  if (digest === undefined) throw new Error(`the layer '${name}' is not built yet`)
  return { digest, target }
}

/** Another interpreter build is another platform: what was built for the old one is built again. */
export const enginePlatform = ({ runtime }: Stack) => ({
  name: `${runtime.family}${runtime.language}`,
  version: hashOf(runtime.build).slice(0, 12),
})

/** A content key in the form that engines take. */
export const keyOf = (prefix: string, ...parts: string[]) =>
  `${prefix}-${hashOf(JSON.stringify(parts)).slice(0, 40)}`

/** Text of a configuration file, for a key. */
export const configured = ({ files }: BuildConfiguration, name: string) =>
  files.find((file) => file.name === name)?.content ?? ''

const hashOf = (text: string) => createHash('sha256').update(text).digest('hex')

/** A program of ours that runs inside: `unpack.py`, … */
export const asset = (name: string) => readFileSync(new URL(`./assets/${name}`, import.meta.url), 'utf8')

export const APP_DIR = '/var/app/current'
/** Runs our own programs inside; every supported host has it. */
export const SYSTEM_PYTHON = '/usr/bin/python3'
export const SYSTEM_PATH = '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin'
export const MINUTE_MS = 60_000
