// Reads the XML of the query protocol into plain values: what our own gateway writes, and AWS's like. Lists are the
// elements that hold only `member` children.
export type XmlValue = string | XmlValue[] | { [name: string]: XmlValue }

const ENTITIES: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }

/** Throws SyntaxError when the text is not well formed. Attributes and declarations are passed over. */
export function parseXml(text: string): { [name: string]: XmlValue } {
  const tokens = text.matchAll(/<\?[^>]*\?>|<!--[\s\S]*?-->|<(\/?)([\w:.-]+)[^>]*?(\/?)>|([^<]+)/g)
  const root: Open = { name: '', children: [], text: '' }
  const stack: Open[] = [root]
  for (const [, closing, name, selfClosing, data] of tokens) {
    const top = stack.at(-1)!
    if (data !== undefined) top.text += data
    else if (name === undefined) continue
    else if (closing) {
      if (top.name !== name) throw new SyntaxError(`</${name}> closes <${top.name}>`)
      stack.pop()
      stack.at(-1)!.children.push([name, valueOf(top)])
    } else if (selfClosing) top.children.push([name, ''])
    else stack.push({ name, children: [], text: '' })
  }
  if (stack.length !== 1) throw new SyntaxError(`<${stack.at(-1)!.name}> is not closed`)
  return Object.fromEntries(root.children)
}

type Open = { name: string; children: [string, XmlValue][]; text: string }

function valueOf({ children, text }: Open): XmlValue {
  if (children.length === 0) return decode(text)
  if (children.every(([name]) => name === 'member')) return children.map(([, value]) => value)
  return Object.fromEntries(children)
}

const decode = (text: string) =>
  text.replace(
    /&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi,
    (whole, hex?: string, decimal?: string, name?: string) => {
      if (hex) return String.fromCodePoint(Number.parseInt(hex, 16))
      if (decimal) return String.fromCodePoint(Number(decimal))
      return ENTITIES[name!] ?? whole
    },
  )

/** A member as text; '' when it is absent. */
export const textOf = (value: XmlValue | undefined): string => (typeof value === 'string' ? value : '')

/** A list member; an empty element is an empty list. */
export const listOf = (value: XmlValue | undefined): { [name: string]: XmlValue }[] =>
  Array.isArray(value)
    ? value.filter(
        (one): one is { [name: string]: XmlValue } => typeof one === 'object' && !Array.isArray(one),
      )
    : []

/** A structure member; an absent one is empty. */
export const structureOf = (value: XmlValue | undefined): { [name: string]: XmlValue } =>
  typeof value === 'object' && !Array.isArray(value) ? value : {}
