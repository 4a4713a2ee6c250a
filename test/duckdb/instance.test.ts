/** One instance for all, safe to hold: limits, turns, interrupts, failures, and its end. */
import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Row } from '../../src/core/types.ts'
import { type DuckDbLease, openDuckDb, openInstances } from '../../src/duckdb/instance.ts'
import { pathToRead, quoteIdentifier, quoteText } from '../../src/duckdb/names.ts'
import { MAX_RUNNING_QUERIES, releaseSlot, takeSlot, waitForSlot } from '../../src/duckdb/query-slots.ts'
import { StreamRows } from '../../src/duckdb/rows.ts'

/** Would take days. */
const ENDLESS = 'SELECT count(*) FROM range(10000000) a(x), range(10000000) b(y) WHERE a.x * b.y = 17'
const fixture = (name: string) => fileURLToPath(new URL(`../../fixtures/parquet/${name}`, import.meta.url))

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'open-iterable-duckdb-test-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function using<T>(use: (lease: DuckDbLease) => Promise<T>): Promise<T> {
  const lease = await openDuckDb()
  try {
    return await use(lease)
  } finally {
    await lease[Symbol.asyncDispose]()
  }
}

describe('instances of DuckDB', () => {
  it('are shared by all that have the same settings, and closed with the last of them', async () => {
    const [a, b, c] = await Promise.all([openDuckDb(), openDuckDb({}), openDuckDb({ threads: 1 })])
    expect(openInstances()).toEqual({ instances: 2, leases: 3 })
    await a.run('CREATE TABLE seen AS SELECT 1 AS one')
    expect(await b.rows('SELECT * FROM seen')).toEqual([{ one: 1 }])
    await a[Symbol.asyncDispose]()
    await a[Symbol.asyncDispose]()
    expect(openInstances()).toEqual({ instances: 2, leases: 2 })
    await Promise.all([b[Symbol.asyncDispose](), c[Symbol.asyncDispose]()])
    expect(openInstances()).toEqual({ instances: 0, leases: 0 })
    await expect(a.run('SELECT 1')).rejects.toMatchObject({ code: 'HANDLE_CLOSED' })
    await using(async lease => {
      await expect(lease.run('SELECT * FROM seen')).rejects.toMatchObject({ code: 'QUERY_INVALID' })
    })
  })

  it('have the limits that are set, UTC, and no way to the network', async () => {
    const temp = join(folder, 'temp')
    await mkdir(temp)
    const lease = await openDuckDb({
      memoryLimitBytes: 64 * 2 ** 20,
      threads: 1,
      tempDirectory: temp,
      maxTempBytes: 2 ** 20,
    })
    const settings = await lease.rows('SELECT name, value FROM duckdb_settings()')
    const of = new Map(settings.map(({ name, value }) => [name, value]))
    expect([of.get('memory_limit'), of.get('threads'), of.get('temp_directory'), of.get('TimeZone')]).toEqual([
      '64.0 MiB',
      '1',
      temp,
      'UTC',
    ])
    for (const name of ['autoinstall_known_extensions', 'autoload_known_extensions', 'allow_community_extensions']) {
      expect([name, of.get(name)]).toEqual([name, 'false'])
    }
    await expect(lease.run("SELECT * FROM read_parquet('https://127.0.0.1:1/x.parquet')")).rejects.toMatchObject({
      code: 'QUERY_INVALID',
    })
    await expect(lease.run('SELECT list(i) FROM range(20000000) r(i)')).rejects.toMatchObject({
      code: 'DUCKDB_OUT_OF_MEMORY',
    })
    await lease[Symbol.asyncDispose]()
  })

  it('have their temp files in a folder of their own, which goes with them', async () => {
    let temp = ''
    await using(async lease => {
      const [row] = await lease.rows("SELECT value FROM duckdb_settings() WHERE name = 'temp_directory'")
      temp = String(row!.value)
      await mkdir(temp, { recursive: true })
      await writeFile(join(temp, 'spilled'), 'x')
    })
    expect(temp.startsWith(tmpdir())).toBe(true)
    await expect(stat(temp)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('say which package is missing', async () => {
    vi.resetModules()
    // From where no package is found.
    vi.doMock('node:module', () => ({ createRequire: () => createRequire(join(tmpdir(), 'none.js')) }))
    try {
      const { loadDuckDb } = await import('../../src/duckdb/binding.ts')
      await expect(loadDuckDb('this')).rejects.toMatchObject({
        code: 'PEER_MISSING',
        hint: 'npm install @duckdb/node-api',
      })
    } finally {
      vi.doUnmock('node:module')
      vi.resetModules()
    }
  })

  it('let only so many queries run at once that files can still be opened', async () => {
    const controller = new AbortController()
    const leases = await Promise.all(Array.from({ length: 6 }, () => openDuckDb()))
    const queries = leases.map(lease => lease.run(ENDLESS, [], { signal: controller.signal }))
    const outcomes = Promise.allSettled(queries)
    await setImmediate()
    // With a thread of the pool for each query this would wait for one of them to end, which none does.
    expect((await stat(folder)).isDirectory()).toBe(true)
    controller.abort(new Error('enough'))
    for (const outcome of await outcomes) expect(outcome).toMatchObject({ reason: { message: 'enough' } })
    await Promise.all(leases.map(lease => lease[Symbol.asyncDispose]()))
  })

  it('give turns in the order of the calls, and none to who gave up', async () => {
    for (let i = 0; i < MAX_RUNNING_QUERIES; i++) expect(takeSlot()).toBe(true)
    expect(takeSlot()).toBe(false)
    const order: string[] = []
    const controller = new AbortController()
    const first = waitForSlot().then(() => order.push('first'))
    const given = waitForSlot(controller.signal)
    const second = waitForSlot().then(() => order.push('second'))
    controller.abort(new Error('no more'))
    await expect(given).rejects.toThrow('no more')
    releaseSlot()
    await first
    releaseSlot()
    await second
    expect(order).toEqual(['first', 'second'])
    releaseSlot()
    releaseSlot()
    for (let i = 0; i < MAX_RUNNING_QUERIES; i++) expect(takeSlot()).toBe(true)
    for (let i = 0; i < MAX_RUNNING_QUERIES; i++) releaseSlot()
  })

  it('stop a query whose signal aborts, and take the next one on the same connection', async () => {
    await using(async lease => {
      const reason = new Error('changed my mind')
      const controller = new AbortController()
      const query = lease.run(ENDLESS, [], { signal: controller.signal })
      await setImmediate()
      controller.abort(reason)
      expect(await query.catch(error => error)).toBe(reason)
      // Waits for the connection, so would wait for ever had the query not been stopped.
      expect(await lease.rows('SELECT 42 AS answer')).toEqual([{ answer: 42 }])
      expect(await lease.run('SELECT 1', [], { signal: controller.signal }).catch(error => error)).toBe(reason)
    })
  })

  it('stop a query when its lease is disposed', async () => {
    const lease = await openDuckDb()
    const query = lease.run(ENDLESS)
    const outcome = query.catch(error => error)
    await setImmediate()
    await lease[Symbol.asyncDispose]()
    expect(await outcome).toMatchObject({ code: 'DUCKDB_FAILED' })
    expect(openInstances().leases).toBe(0)
  })
})

describe('streams of DuckDB', () => {
  const rowsOf = async (lease: DuckDbLease, sql: string): Promise<number> => {
    const rows = new StreamRows(lease.duckdb, await lease.stream(sql))
    let count = 0
    for (let batch = await rows.read(); batch !== null; batch = await rows.read()) count += batch.length
    return count
  }

  it('fail where a value cannot be cast, however late', async () => {
    await using(async lease => {
      const sql = `SELECT CAST(CASE WHEN i < 500000 THEN '1' ELSE 'x' END AS INTEGER) AS v FROM range(1000000) t(i)`
      await expect(rowsOf(lease, sql)).rejects.toMatchObject({ code: 'DUCKDB_FAILED', message: /Could not convert/ })
      expect(await rowsOf(lease, 'SELECT * FROM range(10000)')).toBe(10_000)
      expect(await rowsOf(lease, 'SELECT * FROM range(0)')).toBe(0)
    })
  })

  it('fail where another query was run on the connection', async () => {
    await using(async lease => {
      const stream = await lease.stream('SELECT * FROM range(1000000)')
      expect((await stream.next())?.rowCount).toBeGreaterThan(0)
      await lease.run('SELECT 1')
      const drained = (async () => {
        while ((await stream.next()) !== null);
      })()
      await expect(drained).rejects.toMatchObject({ code: 'DUCKDB_FAILED' })
    })
  })

  it('fail where they were interrupted', async () => {
    await using(async lease => {
      const stream = await lease.stream('SELECT i, hash(i) AS h FROM range(100000000) t(i)')
      const drained = (async () => {
        for (let chunk = await stream.next(); chunk !== null; chunk = await stream.next()) lease.connection.interrupt()
      })()
      await expect(drained).rejects.toMatchObject({ code: 'DUCKDB_FAILED' })
    })
  })

  it.runIf(process.platform === 'linux')(
    'close their files when the lease is disposed, unread as they may be',
    async () => {
      const { readdir, readlink } = await import('node:fs/promises')
      const path = join(folder, 'held.parquet')
      await using(lease => lease.run(`COPY (SELECT i, hash(i) AS h FROM range(3000000) t(i)) TO ${quoteText(path)}`))
      const holders = async () => {
        const links = await Promise.all(
          (await readdir('/proc/self/fd')).map(fd => readlink(`/proc/self/fd/${fd}`).catch(() => '')),
        )
        return links.filter(link => link === path).length
      }
      await using(async lease => {
        const stream = await lease.stream('SELECT * FROM read_parquet($1)', [pathToRead(path)])
        await stream.next()
        expect(await holders()).toBeGreaterThan(0)
      })
      expect(await holders()).toBe(0)
    },
  )
})

describe('an instance that a file broke', () => {
  it('is given up, so that the next lease has a good one', async () => {
    const [victim, culprit] = await Promise.all([openDuckDb(), openDuckDb()])
    await expect(
      culprit.run('SELECT * FROM read_parquet($1)', [fixture('variant-array.parquet')]),
    ).rejects.toMatchObject({
      code: 'DUCKDB_FAILED',
    })
    expect([culprit.broken, victim.broken]).toEqual([true, true])
    await expect(victim.run('SELECT 1')).rejects.toMatchObject({ code: 'DUCKDB_FAILED' })
    await using(async lease => {
      expect(lease.broken).toBe(false)
      expect(await lease.rows('SELECT 1 AS one')).toEqual([{ one: 1 }])
    })
    await Promise.all([victim[Symbol.asyncDispose](), culprit[Symbol.asyncDispose]()])
    expect(openInstances()).toEqual({ instances: 0, leases: 0 })
  })
})

describe('names', () => {
  it('are quoted so that they stay what they are', async () => {
    const names = ['a"b', "it's", '--', ';', '*', 'ä\n\t', '$1', '']
    await using(async lease => {
      for (const name of names) {
        const [row] = await lease.rows(`SELECT ${quoteText(name)} AS ${quoteIdentifier(`x${name}`)}`)
        expect(row).toEqual({ [`x${name}`]: name })
      }
    })
  })

  it('of files are read as they are, and never as patterns', async () => {
    const names = [
      '*.parquet',
      'a[1].parquet',
      'a1.parquet',
      '?.parquet',
      "it's.parquet",
      '--.parquet',
      'new\nline.parquet',
      '[!a].parquet',
      'x".parquet',
      '{a,b}.parquet',
      '%41.parquet',
      'a=1.parquet',
    ]
    await using(async lease => {
      for (const [i, name] of names.entries()) {
        await lease.run(`COPY (SELECT ${i} AS i) TO $1`, [join(folder, name)])
      }
      for (const [i, name] of names.entries()) {
        const rows: Row[] = await lease.rows('SELECT * FROM read_parquet($1, hive_partitioning = false)', [
          pathToRead(join(folder, name)),
        ])
        expect([name, rows]).toEqual([name, [{ i }]])
        const literal = quoteText(pathToRead(join(folder, name)))
        expect(await lease.rows(`SELECT * FROM read_parquet(${literal}, hive_partitioning = false)`)).toEqual([{ i }])
      }
      await expect(
        lease.run('SELECT * FROM read_parquet($1)', [pathToRead(join(folder, 'b*.parquet'))]),
      ).rejects.toMatchObject({ code: 'SOURCE_NOT_FOUND' })
    })
  })
})
