// Findings in the words of AWS.
import { DeclaredError } from '../../../kernel/errors.ts'
import type { Finding, OptionKey } from './types.ts'

/** Something is wrong with naming the option at all. */
export const specificationError = (key: OptionKey, complaint: string): Finding => ({
  severity: 'error',
  namespace: key.namespace,
  optionName: key.optionName,
  message: `Invalid option specification (Namespace: '${key.namespace}', OptionName: '${key.optionName}'): ${complaint}`,
})

export const valueError = (key: OptionKey, value: string, complaint: string): Finding => ({
  severity: 'error',
  namespace: key.namespace,
  optionName: key.optionName,
  message: `Invalid option value: '${value}' (Namespace: '${key.namespace}', OptionName: '${key.optionName}'): ${complaint}`,
})

export const missingParameter = (message: string) => new DeclaredError('MissingRequiredParameter', message)
