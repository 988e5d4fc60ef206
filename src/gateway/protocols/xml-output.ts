// Typed output → XML, by concatenating strings over the table: the hottest path of the gateway.
import type { ListShape, MapShape, Member, Shape, StructureShape } from '../model.ts'
import { writeScalar } from './scalars.ts'

/** The members of a structure as elements; unset ones are absent, empty lists are empty elements (clients.md §0.7). */
export function writeMembers(shape: StructureShape, value: Record<string, unknown>): string {
  let xml = ''
  for (const member of shape.members) {
    const inner = value[member.name]
    if (inner === undefined || inner === null || member.attribute) continue
    xml += writeMember(member, inner)
  }
  return xml
}

export function writeMember(member: Member, value: unknown): string {
  const { shape } = member
  switch (shape.type) {
    case 'list':
      return member.flattened
        ? writeItems(shape, value as unknown[], member.open, member.close)
        : member.open + writeItems(shape, value as unknown[], shape.open, shape.close) + member.close
    case 'map':
      return member.flattened
        ? writeEntries(shape, value as Record<string, unknown>, member.open, member.close)
        : member.open +
            writeEntries(shape, value as Record<string, unknown>, '<entry>', '</entry>') +
            member.close
    case 'structure':
      return (
        openWithAttributes(member.open, shape, value as Record<string, unknown>) +
        writeContent(shape, value) +
        member.close
      )
    default:
      return member.open + writeContent(shape, value) + member.close
  }
}

export function writeContent(shape: Shape, value: unknown): string {
  switch (shape.type) {
    case 'string':
      return escapeXml(typeof value === 'string' ? value : String(value))
    case 'structure':
      return writeMembers(shape, value as Record<string, unknown>)
    case 'list':
      return writeItems(shape, value as unknown[], shape.open, shape.close)
    case 'map':
      return writeEntries(shape, value as Record<string, unknown>, '<entry>', '</entry>')
    default:
      return writeScalar(shape, value, 'date-time')
  }
}

function writeItems(shape: ListShape, items: unknown[], open: string, close: string): string {
  let xml = ''
  for (const item of items)
    if (item !== undefined && item !== null) xml += open + writeContent(shape.item, item) + close
  return xml
}

function writeEntries(shape: MapShape, map: Record<string, unknown>, open: string, close: string): string {
  let xml = ''
  for (const [key, value] of Object.entries(map)) {
    if (value === undefined || value === null) continue
    const content = writeContent(shape.value, value)
    xml += `${open}<${shape.keyName}>${escapeXml(key)}</${shape.keyName}><${shape.valueName}>${content}</${shape.valueName}>${close}`
  }
  return xml
}

function openWithAttributes(open: string, shape: StructureShape, value: Record<string, unknown>): string {
  let attributes = ''
  for (const member of shape.members) {
    const inner = value[member.name]
    if (member.attribute && inner !== undefined && inner !== null)
      attributes += ` ${member.xmlName}="${escapeXml(inner as string)}"`
  }
  return attributes === '' ? open : open.slice(0, -1) + attributes + '>'
}

// XML 1.0 cannot carry most control characters, not even escaped; a reader would refuse the whole answer.
// oxlint-disable-next-line no-control-regex
const SPECIAL = /[&<>"\r\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/
const SPECIAL_ALL = new RegExp(SPECIAL, 'g')
const escapes: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\r': '&#xD;',
}

export function escapeXml(text: string): string {
  return SPECIAL.test(text) ? text.replace(SPECIAL_ALL, (character) => escapes[character] ?? '\ufffd') : text
}
