export function clientPrograms(): string
