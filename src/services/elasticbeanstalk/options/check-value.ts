// Whether one value is good for one option, in AWS's words (the texts are recorded rejections of AWS, 2026-09).
import type { Option } from './option.ts'

/** The complaint, without the part that names the option; undefined when the value is good. An empty value of an option
 *  without a default means "nothing". */
export function checkValue(option: Option, value: string): string | undefined {
  if (isDefault(option, value) || (value === '' && option.default === undefined)) return undefined
  const complaint = complaintOf(option, value)
  return complaint === undefined ? undefined : (option.complaint?.replace('VALUE', value) ?? complaint)
}

/** Whether the value says the same as no setting at all. */
export function isDefault(option: Option, value: string): boolean {
  return normalised(option, value) === normalised(option, option.default ?? '')
}

/** What two values that mean the same have in common: for comparing, never for storing. */
export function normalised(option: Option, value: string): string {
  if (option.type === 'Boolean') return value.toLowerCase()
  if (option.type === 'Json') return plainJson(value)
  if (option.number !== undefined && /^-?\d+(\.\d+)?$/.test(value)) return String(Number(value))
  const listed = option.caseSensitive ? undefined : option.values?.find((each) => sameWord(each, value))
  return listed ?? value
}

function complaintOf(option: Option, value: string): string | undefined {
  if (option.maxLength !== undefined && longest(option, value) > option.maxLength)
    return `Value exceeds maximum allowed length: ${option.maxLength}`
  if (option.type === 'Boolean' && option.values === undefined && !option.valuesNotEnforced)
    return sameWord(value, 'true') || sameWord(value, 'false') ? undefined : `Not a Boolean: ${value}`
  if (option.number !== undefined) return numberComplaint(option, value)
  if (option.type === 'Json') return plainJson(value) === '' ? 'Value is not valid JSON.' : undefined
  if (option.values !== undefined && !option.valuesNotEnforced)
    return listComplaint(option, option.values, value)
  if (option.name === 'InstanceTypes') return instanceTypesComplaint(value)
  if (option.regex !== undefined && !new RegExp(option.regex, 'u').test(value))
    return `Value does not satisfy regex: '${option.regex}'`
  return undefined
}

function numberComplaint({ number, min, max }: Option, value: string): string | undefined {
  const shape = number === 'integer' ? /^-?\d{1,12}$/ : /^-?\d{1,12}(\.\d{1,12})?$/
  if (!shape.test(value)) return `Value is not a number: ${value}`
  if (min !== undefined && Number(value) < min) return `Value is less than minimum allowed value: ${min}`
  if (max !== undefined && Number(value) > max) return `Value exceeds maximum allowed value: ${max}`
  return undefined
}

function listComplaint(option: Option, values: string[], value: string): string | undefined {
  const given = option.type === 'CommaSeparatedList' ? listItems(value) : [value]
  const known = (one: string) =>
    values.some((each) => (option.caseSensitive ? each === one : sameWord(each, one)))
  return given.every(known) ? undefined : `Value is not one of the allowed values: [${values.join(', ')}]`
}

function instanceTypesComplaint(value: string): string | undefined {
  const types = listItems(value)
  const good = types.length >= 1 && types.length <= 40 && new Set(types).size === types.length
  return good && types.every((type) => /^[a-z][a-z0-9-]*\.[a-z0-9-]+$/.test(type))
    ? undefined
    : 'not a list of types'
}

/** The items of a comma-separated value, without blanks around them. */
export const listItems = (value: string) =>
  value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')

// AWS limits each item of a list, not the list.
const longest = ({ type }: Option, value: string) =>
  type === 'CommaSeparatedList' ? Math.max(0, ...listItems(value).map((item) => item.length)) : value.length

const sameWord = (a: string, b: string) => a.toLowerCase() === b.toLowerCase()

// '' for what is not JSON: no JSON text is empty.
function plainJson(value: string): string {
  try {
    return JSON.stringify(JSON.parse(value))
  } catch {
    return ''
  }
}
