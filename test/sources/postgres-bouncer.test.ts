/** Reading through PgBouncer in transaction mode, where it is installed: each transaction may meet another connection. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openIterable, withTransaction } from '../../src/index.ts'
import { collect, errorOf, usePostgres } from './postgres-subject.ts'

const subject = usePostgres()
const isInstalled = spawnSync('pgbouncer', ['--version']).status === 0
const numbers = (count: number) => `SELECT i FROM generate_series(1, ${count}) AS i`

describe.runIf(isInstalled)('PgBouncer in transaction mode', () => {
  const folder = mkdtempSync(join(tmpdir(), 'open-iterable-bouncer-'))
  let bouncer: ChildProcess
  let url: string

  beforeAll(async () => {
    const port = await freePort()
    writeFileSync(join(folder, 'users'), '"postgres" ""\n')
    writeFileSync(
      join(folder, 'pgbouncer.ini'),
      `[databases]
postgres = host=127.0.0.1 port=${subject.server.port} dbname=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = trust
auth_file = ${join(folder, 'users')}
pool_mode = transaction
default_pool_size = 2
logfile = /dev/null
`,
    )
    chmodSync(folder, 0o755)
    // It refuses to run as root.
    const user = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {}
    bouncer = spawn('pgbouncer', [join(folder, 'pgbouncer.ini')], { ...user, stdio: 'ignore' })
    url = subject.at(port)
    while (!(await answers(port)));
  })
  afterAll(() => {
    bouncer.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  })

  it('reads, ends early, cancels, fails and goes on', async () => {
    expect(await collect(openIterable(url, { query: numbers(30_000) }))).toHaveLength(30_000)
    for (let i = 0; i < 10; i++) {
      for await (const _ of openIterable(url, { query: numbers(1_000_000), batchSize: i % 2 === 0 ? 100 : 0 })) break
      expect(await errorOf(openIterable(url, { query: 'SELECT 1 / 0' }).read())).toMatchObject({ code: 'QUERY_FAILED' })
    }
    const reads = Array.from({ length: 10 }, (_, i) =>
      openIterable(url, { query: 'SELECT $1::int AS i', params: [i] }).readBulk(),
    )
    expect(await Promise.all(reads)).toEqual(Array.from({ length: 10 }, (_, i) => [{ i }]))
  })

  it('keeps a transaction on one connection', async () => {
    await withTransaction(url, async tx => {
      await tx.query('CREATE TEMP TABLE mine (n int) ON COMMIT DROP')
      await tx.query('INSERT INTO mine VALUES (1), (2)')
      expect(await collect(tx.read({ table: 'mine', orderBy: 'n' }))).toEqual([{ n: 1 }, { n: 2 }])
    })
  })
})

async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

const answers = (port: number) =>
  new Promise<boolean>(resolve => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
