// The part of package.json and its lock file that decides how an application is installed and started.

export type PackageJson = {
  name: string
  version: string
  scripts: Record<string, string>
  main: string | undefined
  /** Installing needs or changes the application's own files. */
  needsSource: boolean
  hasDependencies: boolean
}

export type PackageJsonResult =
  | { kind: 'package'; package: PackageJson }
  | { kind: 'problem'; problem: string }

/** npm runs these of the root package during an installation. */
const INSTALL_SCRIPTS = [
  'preinstall',
  'install',
  'postinstall',
  'prepublish',
  'preprepare',
  'prepare',
  'postprepare',
]

export function readPackageJson(text: string): PackageJsonResult {
  let value: unknown
  try {
    value = JSON.parse(text.replace(/^\ufeff/, ''))
  } catch (error) {
    return {
      kind: 'problem',
      problem: `package.json is not valid JSON: ${error instanceof Error ? error.message : ''}`,
    }
  }
  if (!isRecord(value)) return { kind: 'problem', problem: 'package.json is not an object.' }
  const scripts = stringsOf(value['scripts'])
  const dependencies = { ...stringsOf(value['optionalDependencies']), ...stringsOf(value['dependencies']) }
  const isLocal = (version: string) => /^(file:|link:|\.|\/|~\/|workspace:)/.test(version)
  return {
    kind: 'package',
    package: {
      name: textOf(value['name']),
      version: textOf(value['version']),
      scripts,
      main: textOf(value['main']) || undefined,
      needsSource:
        value['workspaces'] !== undefined ||
        INSTALL_SCRIPTS.some((script) => script in scripts) ||
        Object.values(dependencies).some(isLocal),
      hasDependencies: Object.keys(dependencies).length > 0,
    },
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const textOf = (value: unknown) => (typeof value === 'string' ? value : '')
const stringsOf = (value: unknown) =>
  Object.fromEntries(
    Object.entries(isRecord(value) ? value : {}).filter(
      (pair): pair is [string, string] => typeof pair[1] === 'string',
    ),
  )
