// The API that a command means: of the home of `polebean exec --ssh`, when that runs the command, else of the one here.
import { apiOf, openApi, type Api, type ApiHome } from './client.ts'

/** Set by `exec --ssh` for its command: the machine, as ssh was told it. The rest is in the variables of every AWS client. */
export const REMOTE = 'POLEBEAN_REMOTE'

export function openApiHere(homeDir: string): Api<ApiHome> {
  const {
    [REMOTE]: destination,
    AWS_ENDPOINT_URL: url = '',
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_REGION: region,
  } = process.env
  const [, port] = /^http:\/\/127\.0\.0\.1:(\d{1,5})$/.exec(url) ?? []
  if (destination === undefined || !port || !accessKeyId || !secretAccessKey || !region)
    return openApi(homeDir)
  const home: ApiHome = {
    id: '',
    dir: destination,
    region,
    ports: { api: Number(port), http: 80, environments: 0, dns: 0 },
  }
  return apiOf(home, { accessKeyId, secretAccessKey })
}
