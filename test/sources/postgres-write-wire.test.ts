/** Writing to what speaks the protocol of Postgres and is none: by prepared INSERTs, with transactions or without. */
import { beforeEach, describe, expect, it } from 'vitest'
import { openIterable, type WriteOptions } from '../../src/index.ts'
import { startWireFilter, WIRE_PROFILES, type WireProfile } from '../support/postgres-wire-filter.ts'
import { errorOf, usePostgres } from './postgres-subject.ts'

const subject = usePostgres()
const rows = Array.from({ length: 2500 }, (_, i) => ({ id: i, name: `näme ${i}\t\\`, at: new Date(i * 1000) }))

beforeEach(() =>
  subject.admin.query(`DROP TABLE IF EXISTS things;
    CREATE TABLE things (id int4 PRIMARY KEY, name text, at timestamptz, j jsonb)`),
)

const count = async () => (await subject.admin.query('SELECT count(*)::int AS n FROM things')).rows[0].n as number

async function through<T>(profile: WireProfile, work: (url: string, refused: string[]) => Promise<T>): Promise<T> {
  const filter = await startWireFilter(subject.server.port, profile)
  try {
    return await work(subject.at(filter.port), filter.refused)
  } finally {
    await filter.stop()
  }
}

async function write(url: string, given: readonly object[], options: Partial<WriteOptions> = {}) {
  await using out = openIterable<object>(url, { mode: 'w', table: 'things', ...options } as WriteOptions)
  await out.writeBulk(given)
  await out.close()
  return out
}

describe.each(Object.entries(WIRE_PROFILES))('%s', (name, profile) => {
  const plain: Partial<WriteOptions> = name === 'textOnly' ? { copy: false, transaction: false } : {}

  it('takes rows by INSERT, and is asked for nothing that it does not have', async () => {
    await through(profile, async (url, refused) => {
      const out = await write(url, rows, plain)
      expect([out.engine, out.rowsWritten, refused]).toEqual(['insert', rows.length, []])
    })
    expect((await subject.admin.query('SELECT id, name, at FROM things ORDER BY id')).rows).toEqual(rows)
  })

  it('finds the bad rows', async () => {
    const bad = rows.map(row => (row.id % 1000 === 7 ? { ...row, at: 'never' } : row))
    await through(profile, async url => {
      // A server that gives no SQLSTATE does not tell errors of rows from others.
      if (name === 'textOnly') {
        expect(await errorOf(write(url, bad, { ...plain, onError: 'skip' }))).toMatchObject({ code: 'SINK_FAILED' })
        return
      }
      const out = await write(url, bad, { ...plain, onError: 'skip' })
      expect([out.rowsWritten, out.rowsSkipped]).toEqual([2497, 3])
      expect(await count()).toBe(2497)
    })
  })
})

describe('a server without transactions', () => {
  it('is not written to unless what was sent may stay', async () => {
    await through(WIRE_PROFILES.textOnly, async url => {
      expect(await errorOf(write(url, rows))).toMatchObject({
        code: 'SINK_FAILED',
        hint: expect.stringContaining('transaction: false'),
      })
    })
    expect(await count()).toBe(0)
    expect(await errorOf(write(subject.url, rows, { transaction: false }))).toMatchObject({ code: 'OPTION_INVALID' })
  })

  it('keeps what was sent before a failure, and no row twice', async () => {
    const bad = rows.map(row => (row.id === 2200 ? { ...row, at: 'never' } : row))
    const options = { copy: false, transaction: false } as const
    expect(await errorOf(write(subject.url, bad, options))).toMatchObject({ code: 'ROW_REFUSED', record: 2201 })
    const kept = await count()
    expect(kept).toBeGreaterThan(0)
    expect(kept).toBeLessThan(2201)
    await subject.admin.query('TRUNCATE things')
    const out = await write(subject.url, bad, { ...options, onError: 'skip' })
    expect([out.rowsSkipped, await count()]).toEqual([1, 2499])
  })

  it('takes a table that is made, and conflicts that are named', async () => {
    await subject.admin.query('DROP TABLE things')
    await through(WIRE_PROFILES.cockroach, async url => {
      await write(url, rows, { create: true, conflictColumns: ['id'] })
      await write(url, [{ id: 5, name: 'new' }], { onConflict: 'update', conflictColumns: ['id'] })
      expect(await errorOf(write(url, rows, { onConflict: 'update' }))).toMatchObject({ code: 'OPTION_INVALID' })
    })
    const { rows: found } = await subject.admin.query(
      'SELECT id, name FROM things WHERE id BETWEEN 4 AND 5 ORDER BY id',
    )
    expect(found).toEqual([
      { id: '4', name: rows[4]!.name },
      { id: '5', name: 'new' },
    ])
  })
})
