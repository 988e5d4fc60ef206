// Requests to an environment while something happens to it.
import { spawn } from 'node:child_process'
import { request } from 'node:http'

/** A request every 5 ms, each on a connection of its own. */
export function startLoad(port: number, host: string) {
  const failed: string[] = []
  const underWay = new Set<Promise<void>>()
  let answered = 0
  const send = () =>
    new Promise<void>((done) => {
      const call = request(
        { host: '127.0.0.1', port, path: '/', headers: { host }, agent: false, timeout: 5_000 },
        (response) => {
          if (response.statusCode === 200) answered++
          else failed.push(`HTTP ${response.statusCode}`)
          response.resume().on('close', done)
        },
      )
      call.on('timeout', () => call.destroy(new Error('no answer within 5 s')))
      call.on('error', (error) => {
        failed.push(error.message)
        done()
      })
      call.end()
    })
  const timer = setInterval(() => {
    const one = send().finally(() => underWay.delete(one))
    underWay.add(one)
  }, 5)
  return {
    async stop() {
      clearInterval(timer)
      await Promise.all(underWay)
      return { answered, failed }
    },
  }
}

/** Kept connections of so many clients, as fast as they can, until it is stopped; answers wrk's summary. */
export function startWrk(port: number, host: string, connections = 32) {
  const argv = ['-t', '1', '-c', String(connections), '-d', '1200', '--timeout', '10', '-H', `Host: ${host}`]
  const wrk = spawn('wrk', [...argv, `http://127.0.0.1:${port}/`], { stdio: ['ignore', 'pipe', 'inherit'] })
  const startedAt = performance.now()
  let said = ''
  wrk.stdout.setEncoding('utf8').on('data', (chunk: string) => (said += chunk))
  const closed = new Promise<void>((resolve, reject) => {
    wrk.on('error', reject)
    wrk.on('close', () => resolve())
  })
  return {
    seconds: () => (performance.now() - startedAt) / 1_000,
    async stop() {
      wrk.kill('SIGINT')
      await closed
      return said
    },
  }
}
