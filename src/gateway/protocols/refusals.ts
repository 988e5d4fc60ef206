// How each protocol words a request that does not fit the model (elastic-beanstalk.md §6.3, §6.4).
import { DeclaredError } from '../../kernel/errors.ts'
import type { ServiceModel } from '../model.ts'

/** Paths are those of the model, e.g. `OptionSettings.1.member.Namespace`; parameter names those of the request. */
export type Refusals = {
  missing(paths: string[]): DeclaredError
  malformed(path: string, expected: string, text: string): DeclaredError
  unreadable(reason: string): DeclaredError
  /** Where there is none, parameters that the model does not have are ignored. */
  unknown?(path: string): DeclaredError
}

/** `service`: the two of rest-xml word it differently. */
export const refusalsOf = (protocol: ServiceModel['protocol'], service = 's3'): Refusals =>
  protocol === 'rest-xml' && service !== 's3' ? paths : table[protocol]

/** Of Route 53, which checks XML against its schema and calls all that does not fit InvalidInput. */
const paths: Refusals = {
  missing: (lacking) =>
    new DeclaredError(
      'InvalidInput',
      `Invalid XML ; the request lacks ${lacking.map((path) => clip(path)).join(', ')}`,
    ),
  malformed: (path, expected, text) =>
    new DeclaredError('InvalidInput', `Invalid XML ; '${clip(text)}' at ${path} is not a ${expected}`),
  unreadable: (reason) => new DeclaredError('InvalidInput', `Invalid XML ; ${reason}`),
}

const table: Record<ServiceModel['protocol'], Refusals> = {
  query: {
    missing(paths) {
      const each = paths.map(
        (path) => `Value null at '${camelPath(path)}' failed to satisfy constraint: Member must not be null`,
      )
      const count = `${paths.length} validation error${paths.length === 1 ? '' : 's'} detected`
      return new DeclaredError('ValidationError', `${count}: ${each.join('; ')}`)
    },
    malformed: (path, expected, text) =>
      new DeclaredError('MalformedInput', `'${clip(text)}' at '${camelPath(path)}' is not a ${expected}`),
    unreadable: (reason) => new DeclaredError('MalformedQueryString', reason),
  },
  ec2: {
    missing: (paths) =>
      new DeclaredError('MissingParameter', `The request must contain the parameter ${paths.join(', ')}`),
    malformed: (path, expected, text) =>
      new DeclaredError(
        'InvalidParameterValue',
        `Value (${clip(text)}) for parameter ${path} is invalid. Expected a ${expected}.`,
      ),
    unreadable: (reason) => new DeclaredError('MalformedQueryString', reason),
    unknown: (path) =>
      new DeclaredError(
        'UnknownParameter',
        `The parameter ${clip(path.replaceAll('.member', ''))} is not recognized`,
      ),
  },
  json: {
    missing(paths) {
      const each = paths.map(
        (path) => `Value at '${camelPath(path)}' failed to satisfy constraint: Member must not be null`,
      )
      const count = `${paths.length} validation error${paths.length === 1 ? '' : 's'} detected`
      return new DeclaredError('ValidationException', `${count}: ${each.join('; ')}`)
    },
    malformed: (path, expected, text) =>
      new DeclaredError(
        'SerializationException',
        `'${clip(text)}' at '${camelPath(path)}' is not a ${expected}`,
      ),
    unreadable: (reason) => new DeclaredError('SerializationException', reason),
  },
  'rest-xml': {
    missing: (paths) => new DeclaredError('InvalidRequest', `The request lacks ${paths.join(', ')}`),
    malformed: (path, expected, text) =>
      new DeclaredError('InvalidArgument', `The value of ${path} is not a ${expected}`, {
        members: { ArgumentName: path, ArgumentValue: clip(text) },
      }),
    unreadable: () =>
      new DeclaredError(
        'MalformedXML',
        'The XML you provided was not well-formed or did not validate against our published schema',
      ),
  },
}

// AWS names members in its validation errors with a small first letter, also inside of paths.
const camelPath = (path: string) =>
  path
    .split('.')
    .map((part) => part.charAt(0).toLowerCase() + part.slice(1))
    .join('.')

const clip = (text: string) => (text.length > 100 ? `${text.slice(0, 100)}…` : text)
