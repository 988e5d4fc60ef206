import type { Shape, StructureShape } from '../model.ts'

/** Paths of required members that an input lacks, in the order of the model. */
export function missingMembers(shape: StructureShape, input: Record<string, unknown>): string[] {
  const missing: string[] = []
  visitStructure(shape, input, '', missing)
  return missing
}

function visitStructure(
  shape: StructureShape,
  value: Record<string, unknown>,
  path: string,
  missing: string[],
): void {
  for (const member of shape.members) {
    const inner = value[member.name]
    if (inner === undefined) {
      if (member.required) missing.push(path + member.name)
    } else if (typeof inner === 'object') visit(member.shape, inner, path + member.name, missing)
  }
}

function visit(shape: Shape, value: unknown, path: string, missing: string[]): void {
  if (shape.type === 'structure') visitStructure(shape, value as Record<string, unknown>, `${path}.`, missing)
  else if (shape.type === 'list')
    for (const [index, item] of (value as unknown[]).entries())
      visit(shape.item, item, `${path}.${index + 1}.member`, missing)
  else if (shape.type === 'map')
    for (const [key, inner] of Object.entries(value as object))
      visit(shape.value, inner, `${path}.${key}`, missing)
}
