// XML → elements. Only what AWS clients send: no DTD, so no entities beyond XML's five and no expansion attacks.

export type XmlElement = {
  /** Without its namespace prefix. */
  name: string
  attributes: Record<string, string>
  children: XmlElement[]
  /** Character data directly inside, joined. */
  text: string
}

export class XmlError extends Error {
  override name = 'XmlError'
}

const DEPTH_MAX = 64
const ELEMENTS_MAX = 200_000

/** The root element; throws XmlError for anything that is not one well-formed document within the limits. */
export function parseXml(text: string): XmlElement {
  const root: XmlElement = { name: '', attributes: {}, children: [], text: '' }
  const open: XmlElement[] = [root]
  let elements = 0
  let at = text.charCodeAt(0) === 0xfeff ? 1 : 0
  while (at < text.length) {
    const tag = text.indexOf('<', at)
    const current = open.at(-1)!
    addText(current, text.slice(at, tag === -1 ? text.length : tag))
    if (tag === -1) break
    if (text.startsWith('<!--', tag)) at = after(text, '-->', tag + 4)
    else if (text.startsWith('<![CDATA[', tag)) {
      at = after(text, ']]>', tag + 9)
      if (current === root) throw new XmlError('text outside of the root element')
      current.text += text.slice(tag + 9, at - 3)
    } else if (text.startsWith('<?', tag)) at = after(text, '?>', tag + 2)
    else if (text.startsWith('<!', tag)) throw new XmlError('document types are not accepted')
    else if (text.startsWith('</', tag)) {
      at = after(text, '>', tag)
      const name = localName(text.slice(tag + 2, at - 1).trimEnd())
      if (open.length === 1 || name !== current.name) throw new XmlError(`unexpected end of ${name}`)
      open.pop()
    } else {
      if (++elements > ELEMENTS_MAX) throw new XmlError(`more than ${ELEMENTS_MAX} elements`)
      at = endOfTag(text, tag)
      const empty = text[at - 2] === '/'
      const element = readTag(text.slice(tag + 1, at - (empty ? 2 : 1)))
      current.children.push(element)
      if (!empty) open.push(element)
      if (open.length > DEPTH_MAX) throw new XmlError(`more than ${DEPTH_MAX} levels`)
    }
  }
  if (open.length !== 1) throw new XmlError(`no end of ${open.at(-1)!.name}`)
  if (root.children.length !== 1) throw new XmlError('one root element is needed')
  return root.children[0]!
}

function addText(element: XmlElement, raw: string): void {
  if (raw === '') return
  if (element.name === '') {
    if (raw.trim() !== '') throw new XmlError('text outside of the root element')
    return
  }
  element.text += unescapeXml(raw)
}

function after(text: string, mark: string, from: number): number {
  const at = text.indexOf(mark, from)
  if (at === -1) throw new XmlError(`no ${mark}`)
  return at + mark.length
}

// A `>` inside of a quoted attribute does not end the tag.
function endOfTag(text: string, from: number): number {
  let quote = ''
  for (let at = from + 1; at < text.length; at++) {
    const character = text[at]!
    if (quote !== '') {
      if (character === quote) quote = ''
    } else if (character === '"' || character === "'") quote = character
    else if (character === '>') return at + 1
    else if (character === '<') break
  }
  throw new XmlError('a tag without end')
}

const NAME = /^[A-Za-z_][\w.-]*(?::[A-Za-z_][\w.-]*)?/
const ATTRIBUTE = /\s+([A-Za-z_][\w.:-]*)\s*=\s*(?:"([^"]*)"|'([^']*)')/gy

function readTag(inside: string): XmlElement {
  const name = NAME.exec(inside)?.[0]
  if (!name) throw new XmlError('a tag without name')
  const attributes: Record<string, string> = {}
  let at = name.length
  while (inside.slice(at).trim() !== '') {
    ATTRIBUTE.lastIndex = at
    const found = ATTRIBUTE.exec(inside)
    if (!found) throw new XmlError(`attributes of ${name} are not well-formed`)
    attributes[found[1]!] = unescapeXml(found[2] ?? found[3] ?? '')
    at = ATTRIBUTE.lastIndex
  }
  return { name: localName(name), attributes, children: [], text: '' }
}

const localName = (name: string) => name.slice(name.indexOf(':') + 1)

const named: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

function unescapeXml(text: string): string {
  if (!text.includes('&')) return text
  return text.replace(/&([^;&]{0,12});?/g, (whole, name: string) => {
    if (!whole.endsWith(';')) throw new XmlError('an & without its ;')
    const code = /^#x([0-9a-f]{1,6})$/i.exec(name)?.[1]
    const number = code ? Number.parseInt(code, 16) : Number(/^#(\d{1,7})$/.exec(name)?.[1] ?? Number.NaN)
    const character = Number.isNaN(number)
      ? named[name]
      : number <= 0x10ffff
        ? String.fromCodePoint(number)
        : undefined
    if (character === undefined) throw new XmlError('an unknown entity')
    return character
  })
}
