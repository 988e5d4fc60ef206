// docs/configuration.md from the table of a home's settings.
import { writeFileSync } from 'node:fs'
import { renderValue } from '../../src/config/default-file.ts'
import { keys, rowOf, type Key } from '../../src/config/settings.ts'

export const CONFIGURATION_DOC = 'docs/configuration.md'

export const generateConfigurationDoc = () => writeFileSync(CONFIGURATION_DOC, renderConfigurationDoc())

/** The whole document. */
export function renderConfigurationDoc(): string {
  return [
    "# A home's settings",
    '',
    'Generated from the table in `src/config/settings.ts`; edit that, then run `npm run generate`.',
    '',
    '`<home>/config.yaml` is written at first start, with each setting explained and commented out: what is not said there',
    'is the default of the installed version. A line is `KEY: VALUE`; groups (`limits:`, below it `instances: 3`) are',
    'read as well. An unknown key, a wrong value, a key that is given twice: the whole file is refused, with file and line. A',
    'server does not start with such a file; one that runs keeps what is in force, and says so in its log and in',
    '`polebean doctor`.',
    '',
    '    polebean config get                                     # what is in force, and where it comes from',
    '    polebean config set listeners.publicAddresses 0.0.0.0   # a list has commas: 192.168.1.10,::',
    '    polebean config unset listeners.publicAddresses         # the default again',
    '    polebean config edit                                    # in $VISUAL or $EDITOR (split at spaces; no shell)',
    '    polebean restart                                        # for what takes effect at start; no request is lost',
    '',
    'Everything is checked before the file is replaced; a text of `edit` that is refused is kept as `config.yaml.rejected`.',
    'Comments stay as they are. The file holds no secret and everyone may read it; only root may write it, so `set`,',
    '`unset` and `edit` ask for sudo, while the editor runs as yourself.',
    '',
    '| setting | what it does | default | takes effect |',
    '|---|---|---|---|',
    ...keys.map(row),
    '',
  ].join('\n')
}

function row(key: Key): string {
  const { doc, type, default: preset, defaultSays, takesEffect, flag } = rowOf(key)
  const option = flag === undefined ? '' : `; the option \`${flag}\` of \`server\` and \`start\` wins`
  const cells = [
    `\`${key}\``,
    `${doc} It is ${type.said}.`,
    defaultSays ?? (preset === null ? 'none' : `\`${renderValue(key, preset)}\``),
    (takesEffect === 'start' ? 'when the server starts' : 'at once') + option,
  ]
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
}
