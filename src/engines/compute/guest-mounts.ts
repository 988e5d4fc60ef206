// What is mounted for a sandbox, as values. All of it is made in a mount namespace that only the sandbox keeps alive, so
// the host's mount table stays empty, and the death of the last process takes everything down with it, also after a crash.
// Folders that an instance can write are never walked by the host: the runtime binds every part into its place, and it
// resolves targets inside the root.
import type { LayerMount } from './engine.ts'
import { checkPath, FRESH_ROOTS, OWNER_IDS, shortHash } from './guest-tree.ts'
import type { Bind } from './oci-config.ts'

/** A part on the disk image: `<name>/upper` and `<name>/work` of one overlay, owned by a user inside. */
export type Upper = { name: string; uid: number }
export type GuestMounts = {
  fstab: string
  binds: Bind[]
  uppers: Upper[]
  /** Places in the run directory that things are mounted on, before they are bound into the root. */
  places: { path: string; /** What is mounted there; null = an overlay. */ source: string | null }[]
}

export type MountsInput = {
  /** Folder of the sandbox in the run directory; must need no escaping, as must `layersDir` and every source. */
  dir: string
  layersDir: string
  /** Grows with each deployment: the writable parts over FRESH_ROOTS and layers start empty then. */
  revision: number
  layers: LayerMount[]
  /** Layers that nothing may be written to. */
  readonlyLayers: boolean
  /** Host folders or files that are seen read-only. */
  readonlyBinds: Bind[]
  /** A folder of its own on the disk, owned by webapp, seen at each of these paths; null for none. */
  output: string[] | null
}

/** Where the output folder lies on the disk image. */
export const OUTPUT_PART = 'out'

export function guestMounts(input: MountsInput): GuestMounts {
  const { dir, layersDir, revision } = input
  const lines: string[] = []
  const out: GuestMounts = { fstab: '', binds: [], uppers: [], places: [] }
  const at = (name: string) => `${dir}/m/${name}`
  const overlay = (name: string, lower: string, upper: Upper) => {
    const disk = `${dir}/m/disk/${upper.name}`
    lines.push(
      `overlay ${at(name)} overlay lowerdir=${lower},upperdir=${disk}/upper,workdir=${disk}/work,nodev,nosuid 0 0`,
    )
    out.uppers.push(upper)
    out.places.push({ path: at(name), source: null })
  }
  const readonly = (name: string, { source, target }: Bind) => {
    lines.push(`${escapeFstab(source)} ${at(name)} none bind,ro,nodev,nosuid 0 0`)
    out.places.push({ path: at(name), source })
    out.binds.push({ source: at(name), target })
  }

  overlay('root', `${dir}/tree`, { name: 'root', uid: 0 })
  readonly('usr', { source: '/usr', target: '/usr' })
  readonly('usr-local', { source: `${dir}/empty`, target: '/usr/local' })
  for (const path of FRESH_ROOTS) {
    const name = shortHash(path)
    overlay(name, `${dir}/tree${path}`, { name: `${name}-${revision}`, uid: 0 })
    out.binds.push({ source: at(name), target: path })
  }
  for (const [index, bind] of input.readonlyBinds.entries()) readonly(`ro${index}`, bind)
  for (const [index, { digest, target }] of input.layers.entries()) {
    const tree = `${layersDir}/${digest}/tree`
    if (input.readonlyLayers) readonly(`layer${index}`, { source: tree, target: checkPath(target) })
    else {
      overlay(`layer${index}`, tree, {
        name: `${shortHash(`${target}\0${digest}`)}-${revision}`,
        uid: OWNER_IDS.webapp[0],
      })
      out.binds.push({ source: at(`layer${index}`), target: checkPath(target) })
    }
  }
  if (input.output) {
    out.uppers.push({ name: OUTPUT_PART, uid: OWNER_IDS.webapp[0] })
    for (const target of new Set(input.output))
      out.binds.push({ source: `${dir}/m/disk/${OUTPUT_PART}/upper`, target: checkPath(target) })
  }
  out.fstab = lines.join('\n') + '\n'
  return out
}

/** fstab(5): white space and the escape itself are written in octal. */
const escapeFstab = (path: string) =>
  path.replace(/[\s\\#]/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`)
