// A Node.js application without dependencies, so that a home deploys it in seconds. It says which version answers, keeps
// a file on the instance's disk, and dials where it is told: what a hostile bundle could do.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Where it listens inside its instance: the PORT of the Node.js platform. */
export const PROBE_PORT = 8080

/** Writes the application into `folder`, which is made. */
export function writeProbeApp(folder: string, version: string): string {
  mkdirSync(folder, { recursive: true })
  const manifest = {
    name: 'probe-app',
    version: '1.0.0',
    private: true,
    scripts: { start: 'node server.js' },
  }
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest))
  writeFileSync(join(folder, 'server.js'), SERVER.replace('VERSION', version))
  return folder
}

const SERVER = `
const { appendFileSync, readFileSync } = require('node:fs')
const { createServer } = require('node:http')
const { connect } = require('node:net')
const { hostname } = require('node:os')
const notes = process.env.HOME + '/notes'

const dial = (host, port) =>
  new Promise((answer) => {
    const socket = connect({ host, port: Number(port), timeout: 1000 })
    const say = (what) => (socket.destroy(), answer(what))
    socket.on('connect', () => say('open')).on('timeout', () => say('timeout')).on('error', (error) => say(error.code))
  })

createServer(async (request, response) => {
  const { pathname, searchParams } = new URL(request.url, 'http://localhost')
  if (pathname === '/note') appendFileSync(notes, 'x')
  if (pathname === '/dial') response.end(hostname() + ' ' + (await dial(searchParams.get('host'), searchParams.get('port'))))
  else if (pathname === '/note' || pathname === '/notes') response.end(String(readFileSync(notes).length))
  else response.end('VERSION ' + hostname())
}).listen(process.env.PORT, '127.0.0.1')
`
