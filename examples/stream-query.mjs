/**
 * A web server that streams a query as JSON Lines or CSV, whatever its size: a client that reads slowly holds the database
 * back, and one that goes away cancels the query.
 *
 *     DATABASE_URL=postgres://… node examples/stream-query.mjs
 *     curl 'localhost:3000/numbers.csv?count=1000000'
 */
import { PassThrough } from 'node:stream'
import Fastify from 'fastify'
import { openIterable } from 'open-iterable'

const TYPES = { jsonl: 'application/x-ndjson', csv: 'text/csv; charset=utf-8' }

/** @param {string} databaseUrl */
export function createServer(databaseUrl) {
  const app = Fastify()

  app.get('/numbers.:format', async (request, reply) => {
    const { format } = request.params
    if (!Object.hasOwn(TYPES, format)) return reply.code(404).send({ error: `there is no format ${format}` })

    const gone = new AbortController()
    reply.raw.on('close', () => gone.abort(new Error('the client has gone')))

    // Opened before anything is sent, so that an error of the query is still an answer of its own.
    const rows = await openIterable(databaseUrl, {
      query: "SELECT i AS id, 'number ' || i AS name, now() AS read_at FROM generate_series(1, $1::int) AS i",
      params: [Number(request.query.count ?? 1000)],
      signal: gone.signal,
    })
    const body = new PassThrough()
    const writer = openIterable(body, { mode: 'w', format, signal: gone.signal })
    writer
      .writeBulk(rows.batches())
      .then(() => writer.close())
      // Too late for another status: the connection is cut, so that nobody takes a part for the whole.
      .catch(error => body.destroy(error))
    return reply.type(TYPES[format]).send(body)
  })

  return app
}

if (process.argv[1] === import.meta.filename) {
  const app = createServer(process.env.DATABASE_URL ?? 'postgres://localhost/postgres')
  console.log(await app.listen({ port: Number(process.env.PORT ?? 3000) }))
}
