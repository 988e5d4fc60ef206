/** Shared library → Debian package. */
export const LIBRARIES: Record<string, string>
