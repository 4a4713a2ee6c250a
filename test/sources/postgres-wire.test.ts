/** Servers that speak the protocol of Postgres and are not Postgres: a real one with features taken away. */
import { describe, expect, it } from 'vitest'
import { type LazyReader, openIterable, type ReadOptions } from '../../src/index.ts'
import { startWireFilter, WIRE_PROFILES, type WireProfile } from '../support/postgres-wire-filter.ts'
import { collect, errorOf, usePostgres } from './postgres-subject.ts'

const subject = usePostgres()
const query = "SELECT i AS id, 'name ' || i AS name FROM generate_series(1, $1::int) AS i"

async function withFilter<T>(
  profile: WireProfile,
  work: (read: (options: ReadOptions) => LazyReader, refused: string[]) => Promise<T>,
): Promise<T> {
  const filter = await startWireFilter(subject.server.port, profile)
  try {
    return await work(options => openIterable(subject.at(filter.port), options), filter.refused)
  } finally {
    await filter.stop()
  }
}

describe.each(Object.entries<WireProfile>(WIRE_PROFILES))('%s', (name, profile) => {
  const id = (n: number) => (name === 'textOnly' ? String(n) : n)

  it('is seen for what it is, and read with parameters, without being asked what it does not know', async () => {
    await withFilter(profile, async (read, refused) => {
      const rows = await collect(read({ query, params: [30_000] }))
      expect(rows).toHaveLength(30_000)
      expect(rows.at(-1)).toEqual({ id: id(30_000), name: 'name 30000' })
      expect(await collect(read({ query: 'SELECT 1 AS a WHERE false' }))).toEqual([])
      expect(
        await collect(read({ table: 'some_table', columns: ['a'], orderBy: 'a' }).batches()).catch(e => e.message),
      ).toContain('some_table')
      expect(refused).toEqual([])
    })
  })

  it('can be left early, and read from again', async () => {
    await withFilter(profile, async (read, refused) => {
      for (let i = 0; i < 5; i++)
        for await (const row of read({ query, params: [1_000_000], poolSize: 1 })) {
          expect(row).toEqual({ id: id(1), name: 'name 1' })
          break
        }
      expect(await collect(read({ query, params: [1], poolSize: 1 }))).toEqual([{ id: id(1), name: 'name 1' }])
      expect(refused).toEqual([])
    })
  })

  it('tells its errors behind the rows before them, and goes on', async () => {
    await withFilter(profile, async (read, refused) => {
      const rows: unknown[] = []
      const error = await errorOf(
        (async () => {
          for await (const row of read({ query: 'SELECT 10 / (3000 - i) AS a FROM generate_series(1, 5000) AS i' }))
            rows.push(row)
        })(),
      )
      expect([error.code, rows.length]).toEqual(['QUERY_FAILED', 2999])
      expect(await collect(read({ query, params: [1] }))).toHaveLength(1)
      expect(refused).toEqual([])
    })
  })

  it('takes statements that give no rows', async () => {
    await withFilter(profile, async (read, refused) => {
      const table = `made_${name.toLowerCase()}`
      expect(await collect(read({ query: `CREATE TABLE ${table} (a int)` }))).toEqual([])
      expect(await collect(read({ query: `INSERT INTO ${table} VALUES ($1)`, params: [7] }))).toEqual([])
      expect(await collect(read({ table }))).toEqual([{ a: id(7) }])
      expect(refused).toEqual([])
    })
  })
})

it('says so when a server is taken for a Postgres and is none', async () => {
  await withFilter(WIRE_PROFILES.textOnly, async read => {
    const error = await errorOf(collect(read({ query: 'SELECT 1 AS a', dialect: 'postgres' })))
    expect(error.code).toBe('QUERY_FAILED')
  })
  const { reports: _, ...unnamed } = WIRE_PROFILES.cockroach
  await withFilter(unnamed, async read => {
    // Inside a transaction its portals last.
    expect(await collect(read({ query, params: [30_000] }))).toHaveLength(30_000)
    const error = await errorOf(collect(read({ query, params: [30_000], readOnly: false })))
    expect([error.code, error.message]).toEqual(['QUERY_FAILED', expect.stringContaining('unknown portal')])
    expect(await collect(read({ query, params: [30_000], readOnly: false, dialect: 'pgwire' }))).toHaveLength(30_000)
  })
})
