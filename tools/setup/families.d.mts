export function elsewhereCalled(
  osRelease: string,
  packages: string[],
): { command: string; without: string[] } | undefined
