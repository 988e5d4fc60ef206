// WSGIPath: which module of the bundle holds the WSGI callable. AWS allows `module`, `module:callable` and a file
// (`ebdjango/wsgi.py`), developer guide, create-deploy-python-container; the default is `application`.

/** As gunicorn takes it (`package.module:callable`), or undefined when it is none of the three forms. */
export function gunicornTarget(wsgiPath: string): string | undefined {
  const [, path = '', callable] = /^([^:]+?)(?::([^:]+))?$/.exec(wsgiPath.trim()) ?? []
  const module = path
    .replace(/^\.?\//, '')
    .replace(/\.py$/, '')
    .replaceAll('/', '.')
  if (!/^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$/.test(module)) return undefined
  // A factory is written as a call, `app:create_app()`: gunicorn takes that, in literal arguments only.
  if (callable !== undefined && !/^[A-Za-z_][\w.]*(\([^;|&<>`$]*\))?$/.test(callable)) return undefined
  return `${module}:${callable ?? 'application'}`
}
