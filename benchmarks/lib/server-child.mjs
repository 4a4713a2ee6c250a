/** One server, told by its argument what it holds; runs until it is disconnected. */
import { moduleOf } from './servers.mjs'

const { kind, files, delayMs } = JSON.parse(process.argv[2])
const module = await import(moduleOf(`${kind} server`))

let server
if (kind === 's3') {
  server = await module.startS3Server({ buckets: ['bench'] })
  for (const [name, bytes] of Object.entries(files)) server.put('bench', name, table(bytes))
  if (delayMs !== undefined) server.faults.add({ delayMs, times: Number.POSITIVE_INFINITY })
  // What was asked is kept for tests; here it would only grow.
  setInterval(() => server.requests.splice(0), 1000).unref()
} else {
  server = await new module.HttpServer(table(Math.max(...Object.values(files)))).listen()
  server.behaviour = { delayMs }
}
process.once('disconnect', () => process.exit(0))
process.send({ endpoint: server.endpoint ?? server.origin, clientOptions: server.clientOptions })

/** A CSV of about this many bytes. */
function table(bytes) {
  const lines = ['id,name,value\n']
  for (let i = 0, length = 0; length < bytes; i++) {
    const line = `${i},name ${(i * 7919) % 997},${Math.round(Math.sin(i) * 1e6)}\n`
    lines.push(line)
    length += line.length
  }
  return Buffer.from(lines.join(''))
}
