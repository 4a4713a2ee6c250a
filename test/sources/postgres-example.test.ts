/** The example with a web server, with a real client: whole answers, a slow client, and one that goes away. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openIterable } from '../../src/index.ts'
import { collect, usePostgres } from './postgres-subject.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const subject = usePostgres()
let child: ChildProcess
let origin: string

beforeAll(async () => {
  child = spawn(process.execPath, [join(ROOT, 'examples/stream-query.mjs')], {
    env: { ...process.env, DATABASE_URL: subject.url, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = await once(createInterface({ input: child.stdout! }), 'line')
  origin = String(line).trim()
})
afterAll(() => {
  child.kill()
})

const request = async (path: string): Promise<IncomingMessage> => {
  const [response] = await once(get(`${origin}${path}`), 'response')
  return response as IncomingMessage
}

/** What the server does for the example's query: its state, and what it waits for. */
const working = async () => {
  const { rows } = await subject.admin.query(
    "SELECT state, wait_event FROM pg_stat_activity WHERE query LIKE '%number %' AND pid <> pg_backend_pid() AND state <> 'idle'",
  )
  return rows as { state: string; wait_event: string | null }[]
}

describe('examples/stream-query.mjs', () => {
  it.each(['jsonl', 'csv'])('streams a query as %s', async format => {
    const response = await fetch(`${origin}/numbers.${format}?count=50000`)
    expect(response.status).toBe(200)
    const rows = await collect(openIterable<{ id: unknown; name: string }>(response, { format }))
    expect(rows).toHaveLength(50_000)
    expect(String(rows.at(-1)!.id)).toBe('50000')
    expect(rows.at(-1)!.name).toBe('number 50000')
  })

  it('answers what is wrong with the query by a status', async () => {
    const response = await fetch(`${origin}/numbers.csv?count=many`)
    expect(response.status).toBe(500)
    expect(await response.text()).toContain('invalid input syntax')
  })

  it('holds the database back while the client does not read, and gives all when it does', async () => {
    const response = await request('/numbers.jsonl?count=1000000')
    await once(response, 'readable')
    // The server waits for its client, be it to take what is sent or to ask for more, and goes on waiting.
    for (let still = 0; still < 20; ) {
      const [server] = await working()
      still = server?.wait_event?.startsWith('Client') ? still + 1 : 0
    }
    let lines = 0
    for await (const chunk of response) for (const byte of chunk as Buffer) if (byte === 10) lines++
    expect(lines).toBe(1_000_000)
  })

  it('cancels the query when the client goes away', async () => {
    const response = await request('/numbers.jsonl?count=1000000')
    await once(response, 'readable')
    expect(await working()).not.toEqual([])
    response.destroy()
    while ((await working()).length > 0);
    const again = await fetch(`${origin}/numbers.csv?count=1`)
    expect((await again.text()).split('\n')).toHaveLength(3)
  })
})
