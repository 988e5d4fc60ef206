// The image that contrib/Dockerfile begins with, made from Debian's packages as the disks are: no registry is asked.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { readMirrors } from './disk.ts'
import { CA_BUNDLE, type Guest } from './guest.ts'
import { runHere } from './here.ts'

const NAME = 'debian:12-slim'

/** Gives the guest's Docker the image, knowing whom the guest trusts and where it looks for packages (`introduce`). */
export async function importBase(guest: Guest, cache: string): Promise<void> {
  await guest.root('docker import - bare >/dev/null', { stdin: await readBase(cache) })
  await guest.root(
    `mkdir /tmp/base; cd /tmp/base; cp ${CA_BUNDLE} bundle.crt; cp ~ada/.npmrc npmrc; cp /etc/pip.conf .; cat >Dockerfile
     docker build -q -t ${NAME} . >/dev/null; rm -r /tmp/base`,
    { stdin: await dockerfile(guest) },
  )
}

const dockerfile = async (guest: Guest) => `FROM bare
COPY bundle.crt ${CA_BUNDLE}
COPY bundle.crt /usr/local/share/ca-certificates/from-outside.crt
COPY npmrc /root/.npmrc
COPY pip.conf /etc/pip.conf
${(await guest.run('cat /etc/environment'))
  .split('\n')
  .filter((line) => line.includes('='))
  .map((line) => `ENV ${line}`)
  .join('\n')}
`

async function readBase(cache: string): Promise<Buffer> {
  const { debian, security } = await readMirrors()
  const from = ['bookworm', 'bookworm-updates'].map((suite) => `deb ${debian} ${suite} main`)
  const sources = [...from, `deb ${security} bookworm-security main`]
  const options = ['--quiet', '--mode=root', '--variant=minbase', '--format=tar']
  const key = createHash('sha256')
    .update([...options, ...sources].join('\n'))
    .digest('hex')
    .slice(0, 16)
  const file = join(cache, `container-${key}.tar.gz`)
  if (!existsSync(file)) {
    const making = join(cache, `container-${process.pid}.tar.gz`)
    mkdirSync(cache, { recursive: true })
    try {
      await runHere(['unshare', '--mount', 'mmdebstrap', ...options, 'bookworm', making, ...sources])
      renameSync(making, file)
    } finally {
      rmSync(making, { force: true })
    }
  }
  return readFileSync(file)
}
