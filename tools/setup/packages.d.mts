export function ensurePackages(options: { yes: boolean; extra?: Record<string, string> }): Promise<void>
