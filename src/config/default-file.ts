// The file as it is written at first start: every setting with its words, commented out, so that what is not said there
// follows the defaults of each version.
import { stringify } from 'yaml'
import { keys, rowOf, shownValue, type Key } from './settings.ts'

const WIDTH = 100

const HEAD = `# Settings of this Polebean home. Take the # away from a line to set it, or: polebean config set KEY VALUE
# polebean config get shows what is in force, polebean config edit checks the text before it replaces this file.
`

export const renderDefaults = (): string =>
  `${HEAD}\n${keys.map((key) => `${renderComment(key)}\n${commentedOut(key)}\n`).join('\n')}`

/** The line that stands for a setting which nobody gives. */
export const commentedOut = (key: Key): string => `# ${key}: ${renderValue(key, rowOf(key).default)}`

/** What a setting is, as lines of comments. */
export function renderComment(key: Key): string {
  const { doc, type, defaultSays, takesEffect, flag } = rowOf(key)
  const sentences = [
    doc,
    `It is ${type.said}.`,
    ...(defaultSays === undefined ? [] : [`Default: ${defaultSays}.`]),
    takesEffect === 'start' ? 'Takes effect when the server starts.' : 'Takes effect at once.',
    ...(flag === undefined ? [] : [`The option ${flag} of server and start wins over it.`]),
  ]
  return wrap(sentences.join(' '))
    .map((line) => `# ${line}`)
    .join('\n')
}

/** A value as it stands behind `KEY: `, on one line. */
export const renderValue = (key: Key, value: unknown): string =>
  stringify(shownValue(key, value), {
    collectionStyle: 'flow',
    lineWidth: 0,
    flowCollectionPadding: false,
  }).trim()

function wrap(text: string): string[] {
  const lines = ['']
  for (const word of text.split(' ')) {
    const last = lines.at(-1)!
    if (last !== '' && last.length + 1 + word.length > WIDTH) lines.push(word)
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`
  }
  return lines
}
