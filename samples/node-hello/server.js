// Says hello, which instance answered, and a number for the visit.
const http = require('node:http')
const os = require('node:os')
const { nanoid } = require('nanoid')

const port = Number(process.env.PORT || 8080)
const greeting = process.env.GREETING || 'Hello from Node.js'

const server = http.createServer((request, response) => {
  response.setHeader('content-type', 'application/json')
  response.end(
    JSON.stringify({ greeting, instance: os.hostname(), visit: nanoid(8), path: request.url }) + '\n',
  )
})
server.listen(port, '127.0.0.1', () => console.log(`listening on ${port}`))
process.on('SIGTERM', () => server.close(() => process.exit(0)))
