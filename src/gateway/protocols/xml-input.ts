// XML elements → typed input.
import type { ListShape, MapShape, Shape, StructureShape } from '../model.ts'
import type { Refusals } from './refusals.ts'
import { nameOfScalar, readScalar } from './scalars.ts'
import type { XmlElement } from './xml-parse.ts'

export function readXmlInput(shape: Shape, element: XmlElement, path: string, refusals: Refusals): unknown {
  switch (shape.type) {
    case 'structure':
      return readStructure(shape, element, path, refusals)
    case 'list':
      return readItems(
        shape,
        element.children.filter((child) => child.name === shape.itemName),
        path,
        refusals,
      )
    case 'map':
      return readEntries(
        shape,
        element.children.filter((child) => child.name === 'entry'),
        path,
        refusals,
      )
    default: {
      const text = shape.type === 'string' ? element.text : element.text.trim()
      const scalar = readScalar(shape, text)
      if (scalar === undefined) throw refusals.malformed(path, nameOfScalar(shape), text)
      return scalar
    }
  }
}

function readStructure(
  shape: StructureShape,
  element: XmlElement,
  path: string,
  refusals: Refusals,
): Record<string, unknown> {
  const value: Record<string, unknown> = {}
  for (const member of shape.members) {
    if (member.attribute) {
      const attribute = element.attributes[member.xmlName]
      if (attribute !== undefined) value[member.name] = attribute
      continue
    }
    const name = localName(member.xmlName)
    const inner = element.children.filter((child) => child.name === name)
    if (inner.length === 0) continue
    const at = path === '' ? member.name : `${path}.${member.name}`
    if (member.flattened && member.shape.type === 'list')
      value[member.name] = readItems(member.shape, inner, at, refusals)
    else if (member.flattened && member.shape.type === 'map')
      value[member.name] = readEntries(member.shape, inner, at, refusals)
    else value[member.name] = readXmlInput(member.shape, inner.at(-1)!, at, refusals)
  }
  return value
}

const readItems = (shape: ListShape, items: XmlElement[], path: string, refusals: Refusals) =>
  items.map((item, index) => readXmlInput(shape.item, item, `${path}.${index + 1}`, refusals))

function readEntries(
  shape: MapShape,
  entries: XmlElement[],
  path: string,
  refusals: Refusals,
): Record<string, unknown> {
  const pairs: [string, unknown][] = []
  for (const entry of entries) {
    const key = entry.children.find((child) => child.name === shape.keyName)?.text ?? ''
    const value = entry.children.find((child) => child.name === shape.valueName)
    if (value) pairs.push([key, readXmlInput(shape.value, value, `${path}.${key}`, refusals)])
  }
  return Object.fromEntries(pairs)
}

const localName = (name: string) => name.slice(name.indexOf(':') + 1)
