// Other services say in several words that something is not there.
import { DeclaredError } from '../../kernel/errors.ts'

/** Does the deed; answers true when what it is about is not there (any more). */
export function isGone(deed: () => unknown): boolean {
  try {
    deed()
    return false
  } catch (error) {
    if (error instanceof DeclaredError && GONE.test(`${error.code} ${error.message}`)) return true
    throw error
  }
}

const GONE = /NotFound|not found|does not exist/i
