/**
 * Rows through a web service that is slow and sometimes fails: several calls at once, in order, tried again after what may
 * pass, with a limit in time, and left alone when it is down. What cannot be had is put aside, and the rest published whole.
 *
 *     node examples/async-service.mjs [folder for the output]
 */
import { once } from 'node:events'
import { mkdtemp } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { filterStage, mapStage, openIterable, pipeline, takeStage } from 'open-iterable'
import { CircuitBreaker, RetryPolicy, withTimeout } from 'open-iterable/resilience'

const source = fileURLToPath(new URL('../node_modules/vega-datasets/data/airports.csv', import.meta.url))
const folder = process.argv[2] ?? (await mkdtemp(join(tmpdir(), 'open-iterable-service-')))

// The service, for the sake of the example: each seventh answer is "busy", and of Alaska it knows nothing.
let requests = 0
const service = createServer((request, response) => {
  const url = new URL(request.url, 'http://service')
  const status = ++requests % 7 === 0 ? 503 : url.searchParams.get('state') === 'AK' ? 404 : 200
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ hour: Math.round(Number(url.searchParams.get('longitude')) / 15) }))
}).listen(0, '127.0.0.1')
await once(service, 'listening')
const { port } = service.address()

let retries = 0
const policy = new RetryPolicy({ attempts: 5, initialDelayMs: 5, onRetry: () => retries++ })
const breaker = new CircuitBreaker({ label: 'time zones', failures: 20, counts: error => error.status >= 500 })

async function hourOf({ longitude, state }, signal) {
  const response = await fetch(`http://127.0.0.1:${port}/?longitude=${longitude}&state=${state}`, { signal })
  const body = await response.json()
  // `status` is what a retry policy looks at: 503 may pass, 404 will not.
  if (!response.ok)
    throw Object.assign(new Error(`the service answered ${response.status}`), { status: response.status })
  return body.hour
}

const withHour = mapStage(
  async (airport, _index, { signal }) => {
    const call = limit => hourOf(airport, limit)
    const once = () => breaker.run(() => withTimeout(call, 5000, { signal }), { signal })
    return { ...airport, hour: await policy.run(once, { signal }) }
  },
  { concurrency: 8, name: 'hour' },
)

const unknown = join(folder, 'unknown.jsonl')
const result = await pipeline(
  source,
  filterStage(airport => airport.country === 'USA'),
  takeStage(500),
  withHour,
  join(folder, 'airports.jsonl'),
  { deadLetters: unknown },
)
service.close()

console.log(`${result.rowsOut} airports, ${result.rowsFailed} put aside, ${retries} calls tried again`)
const { raw, message } = (await openIterable(unknown).take(1).toArray())[0] ?? {}
console.log(`the first: ${raw}: ${message}`)
