/** Parquet from places that are read by ranges, and from those that can only be read from their start. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ByteRange, ByteSource, Row } from '../../src/core/types.ts'
import { openDuckDb, openInstances } from '../../src/duckdb/instance.ts'
import { openIterable, parquetMetadata, type ReadOptions, registerSource } from '../../src/index.ts'

/** A place that counts what is asked of it. */
class Ranged {
  readonly ranges: ByteRange[] = []
  bytes = 0
  largestCall = 0
  disposed = 0
  readonly #content: Buffer
  /** What becomes of each range, by its number. */
  readonly #serve: (bytes: Buffer, call: number) => Uint8Array

  constructor(content: Buffer, serve: (bytes: Buffer, call: number) => Uint8Array = bytes => bytes) {
    this.#content = content
    this.#serve = serve
  }

  open(): ByteSource {
    return {
      label: 'ranged:x.parquet',
      replayable: true,
      size: this.#content.length,
      random: {
        size: async () => this.#content.length,
        readRanges: async (ranges, options) => {
          options?.signal?.throwIfAborted()
          this.ranges.push(...ranges)
          const parts = ranges.map(({ start, end }) =>
            this.#serve(this.#content.subarray(start, end), this.ranges.length),
          )
          const total = ranges.reduce((sum, { start, end }) => sum + end - start, 0)
          this.bytes += total
          this.largestCall = Math.max(this.largestCall, total)
          return parts
        },
      },
      // biome-ignore lint/correctness/useYield: nothing may be read from its start
      async *stream() {
        throw new Error('this place was to be read by ranges')
      },
      [Symbol.asyncDispose]: async () => {
        this.disposed++
      },
    }
  }
}

registerSource({
  id: 'ranged',
  title: 'a place of this test',
  reads: true,
  writes: false,
  accepts: target => target instanceof Ranged,
  label: () => 'ranged:x.parquet',
  fileName: () => 'x.parquet',
  load: async () => ({ openSource: async target => (target as Ranged).open() }),
})

const tempFolder = join(tmpdir(), `open-iterable-${process.getuid?.() ?? 'temp'}`)
const tempFiles = async () => (await readdir(tempFolder)).filter(name => name.startsWith(`${process.pid}-`))

let folder: string
let wide: Buffer
/** Of several windows. */
let large: Buffer
const COLUMNS = 11
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'open-iterable-remote-test-'))
  const columns = Array.from({ length: COLUMNS }, (_, i) => `hash(i * ${COLUMNS} + ${i})::VARCHAR AS c${i}`)
  wide = await make('wide.parquet', `SELECT i AS id, ${columns.slice(1).join(', ')} FROM range(200000) t(i)`, 20_480)
  large = await make('large.parquet', 'SELECT i, hash(i)::VARCHAR AS h FROM range(1000000) t(i)', 40_960)
})
afterAll(async () => {
  await rm(folder, { recursive: true })
  expect(openInstances()).toEqual({ instances: 0, leases: 0 })
  expect(await tempFiles()).toEqual([])
})

async function make(name: string, sql: string, rowGroupSize: number): Promise<Buffer> {
  const lease = await openDuckDb()
  try {
    await lease.run(`COPY (${sql}) TO $1 (FORMAT parquet, ROW_GROUP_SIZE ${rowGroupSize})`, [join(folder, name)])
  } finally {
    await lease[Symbol.asyncDispose]()
  }
  return readFile(join(folder, name))
}

async function rowsOf(target: unknown, options: ReadOptions = {}): Promise<Row[]> {
  const reader = openIterable(target as string, options)
  try {
    const rows: Row[] = []
    for await (const row of reader) rows.push(row)
    return rows
  } finally {
    // Waits for what an opening that was given up has still to let go of.
    await reader.close()
  }
}

describe('Parquet read by ranges', () => {
  it('fetches the footer and the column chunks that are needed, and gives the same rows', async () => {
    const expected = await rowsOf(join(folder, 'wide.parquet'), { columns: ['c3', 'c7'] })
    const place = new Ranged(wide)
    const reader = openIterable(place as never, { columns: ['c3', 'c7'] })
    const rows: Row[] = []
    for await (const row of reader) rows.push(row)
    expect(rows).toEqual(expected)
    expect(rows).toHaveLength(200_000)
    expect(place.bytes / wide.length).toBeLessThan(0.22)
    expect(reader.bytesRead).toBe(place.bytes)
    expect([reader.engine, reader.spooled]).toEqual(['duckdb', undefined])
    expect(place.disposed).toBe(1)
  })

  it('fetches nothing twice, and no more at once than it has memory for', async () => {
    const place = new Ranged(wide)
    expect(await rowsOf(place)).toHaveLength(200_000)
    expect(place.bytes).toBeLessThanOrEqual(wide.length)
    const sorted = [...place.ranges].sort((a, b) => a.start - b.start)
    for (const [i, range] of sorted.entries()) if (i > 0) expect(range.start).toBeGreaterThanOrEqual(sorted[i - 1]!.end)
    expect(place.largestCall).toBeLessThanOrEqual(16 * 2 ** 20)
  })

  it('fetches only the row groups that a limit needs', async () => {
    const place = new Ranged(wide)
    expect(await rowsOf(place, { limit: 10, columns: ['id'] })).toEqual(Array.from({ length: 10 }, (_, id) => ({ id })))
    expect(place.bytes / wide.length).toBeLessThan(0.05)
    const behind = new Ranged(wide)
    expect(await rowsOf(behind, { limit: 1, offset: 20_480, columns: ['id'] })).toEqual([{ id: 20_480 }])
  })

  it('fetches row groups as rows are asked for, without a limit as well', async () => {
    const place = new Ranged(large)
    const reader = openIterable(place as never)
    expect(await reader.readBulk(10)).toEqual(Array.from({ length: 10 }, (_, i) => ({ i, h: expect.any(String) })))
    expect(place.bytes / large.length).toBeLessThan(0.1)
    let next = 10
    for await (const { i } of reader) if (i !== next++) throw new Error(`${i} in place of ${next - 1}`)
    expect(next).toBe(1_000_000)
    expect(place.bytes).toBeLessThanOrEqual(large.length)
    // A condition that is met early, and one that is met late.
    const early = new Ranged(large)
    expect(await rowsOf(early, { where: { i: { gte: 5 } }, limit: 2, columns: ['i'] })).toEqual([{ i: 5 }, { i: 6 }])
    expect(early.bytes / large.length).toBeLessThan(0.6)
    expect(
      await rowsOf(new Ranged(large), { where: { i: { gte: 999_990 } }, limit: 8, offset: 1, columns: ['i'] }),
    ).toEqual(Array.from({ length: 8 }, (_, k) => ({ i: 999_991 + k })))
    expect(await rowsOf(new Ranged(large), { offset: 500_000, limit: 3, columns: ['i'] })).toEqual([
      { i: 500_000 },
      { i: 500_001 },
      { i: 500_002 },
    ])
    expect(await rowsOf(new Ranged(large), { offset: 2_000_000 })).toEqual([])
    expect(await rowsOf(new Ranged(large), { limit: 0 })).toEqual([])
  })

  it('goes on in a window where another file broke the instance', async () => {
    const reader = openIterable(new Ranged(large) as never, { columns: ['i'] })
    const rows = await reader.readBulk(50_000)
    const broken = fileURLToPath(new URL('../../fixtures/parquet/variant-array.parquet', import.meta.url))
    await expect(rowsOf(broken)).rejects.toMatchObject({ code: 'PARQUET_UNSUPPORTED' })
    for await (const row of reader) rows.push(row)
    expect(rows.length).toBe(1_000_000)
    expect(rows.every(({ i }, at) => i === at)).toBe(true)
  })

  it('reads a file that has a column called as the number of a row is', async () => {
    const bytes = await make('numbered.parquet', 'SELECT 7 - i AS file_row_number FROM range(5000) t(i)', 2048)
    expect((await rowsOf(new Ranged(bytes), { offset: 4999 }))[0]).toEqual({ file_row_number: -4992 })
  })

  it('fetches what conditions and orders look at', async () => {
    const local = join(folder, 'wide.parquet')
    for (const options of [
      { columns: ['c1'], where: { id: { gte: 199_990 } } },
      { columns: ['c1'], where: { c5: (await rowsOf(local, { limit: 1, offset: 77 }))[0]!.c5 as string } },
      { columns: ['c1'], where: ['c2 > $1 AND id < 100', '9'] as const },
      { columns: ['c1'], orderBy: [{ column: 'c2', descending: true }], limit: 5 },
    ] satisfies ReadOptions[]) {
      const rows = await rowsOf(new Ranged(wide), options)
      expect(rows.length).toBeGreaterThan(0)
      expect(rows).toEqual(await rowsOf(local, options))
    }
  })

  it('fetches the filters that a condition is looked up in', async () => {
    const sql = "SELECT 'value ' || (i % 1000) AS word, i AS id FROM range(100000) t(i)"
    const bytes = await make('filters.parquet', sql, 20_480)
    const place = new Ranged(bytes)
    expect(await rowsOf(place, { where: { word: 'value 77' }, columns: ['id'] })).toHaveLength(100)
    expect(await rowsOf(new Ranged(bytes), { where: { word: 'value 7777' } })).toEqual([])
  })

  it('finds a footer that is longer than what is read first', async () => {
    const columns = Array.from({ length: 40 }, (_, i) => `i AS "a column with a rather long name, number ${i}"`)
    const bytes = await make('footer.parquet', `SELECT ${columns.join(', ')} FROM range(61440) t(i)`, 2048)
    expect(bytes.readUInt32LE(bytes.length - 8)).toBeGreaterThan(65_536)
    const place = new Ranged(bytes)
    expect((await parquetMetadata(place as never)).rowCount).toBe(61_440)
    expect(place.ranges).toHaveLength(2)
    expect(
      await rowsOf(new Ranged(bytes), { limit: 1, columns: ['a column with a rather long name, number 7'] }),
    ).toEqual([{ 'a column with a rather long name, number 7': 0 }])
  })

  it('reads only the footer for the metadata', async () => {
    const place = new Ranged(wide)
    expect((await parquetMetadata(place as never)).rowCount).toBe(200_000)
    expect([place.bytes, place.disposed]).toEqual([65_536, 1])
  })

  it('tells a place that fails, or gives less than it was asked for, and leaves nothing behind', async () => {
    const short = new Ranged(wide, (bytes, call) => (call > 1 ? bytes.subarray(1) : bytes))
    await expect(rowsOf(short)).rejects.toMatchObject({ code: 'SOURCE_FAILED' })
    const failing = new Ranged(wide, (bytes, call) => {
      if (call > 2) throw new Error('the line is cut')
      return bytes
    })
    await expect(rowsOf(failing)).rejects.toThrow('the line is cut')
    const cut = new Ranged(wide.subarray(0, wide.length - 1))
    await expect(rowsOf(cut)).rejects.toMatchObject({ code: 'PARQUET_CORRUPT', label: 'ranged:x.parquet' })
    await expect(rowsOf(new Ranged(Buffer.alloc(3)))).rejects.toMatchObject({ code: 'PARQUET_CORRUPT' })
    expect([short.disposed, failing.disposed, cut.disposed]).toEqual([1, 1, 1])
    expect(await tempFiles()).toEqual([])
  })

  it('stops fetching when it is aborted', async () => {
    const controller = new AbortController()
    const place = new Ranged(wide, (bytes, call) => {
      if (call > 1) controller.abort(new Error('enough'))
      return bytes
    })
    await expect(rowsOf(place, { signal: controller.signal })).rejects.toThrow('enough')
    expect(place.disposed).toBe(1)
  })

  it('reads the same by hyparquet', async () => {
    const place = new Ranged(wide)
    const options = {
      columns: ['c3', 'id'],
      where: { id: { lt: 30_000 } },
      offset: 5,
      limit: 25_000,
    } satisfies ReadOptions
    const rows = await rowsOf(place, { ...options, engine: 'hyparquet' })
    expect(rows).toEqual(await rowsOf(join(folder, 'wide.parquet'), options))
    expect(place.bytes).toBeLessThan(wide.length / 2)
  })
})

describe('Parquet that can only be read from its start', () => {
  async function* pieces(bytes: Uint8Array, size = 100_000) {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
  }

  it('is copied to a temp file, which the reader tells of and which goes with it', async () => {
    const reader = openIterable(pieces(wide), { format: 'parquet', columns: ['id'] })
    expect(await reader.readBulk(2)).toEqual([{ id: 0 }, { id: 1 }])
    expect(reader.spooled).toEqual({ bytes: wide.length, reason: 'the source can only be read from its start' })
    expect(reader.bytesRead).toBe(wide.length)
    expect(await tempFiles()).toHaveLength(1)
    await reader.close()
    expect(await tempFiles()).toEqual([])
  })

  it('may be inside a codec', async () => {
    const gz = { bytes: gzipSync(wide), name: 'wide.parquet.gz' }
    const reader = openIterable(gz, { columns: ['id'], limit: 1, offset: 199_999 })
    expect(await reader.readBulk(5)).toEqual([{ id: 199_999 }])
    expect(reader.spooled).toEqual({
      bytes: wide.length,
      reason: 'what is inside gzip can only be read from its start',
    })
    await reader.close()
    await expect(rowsOf({ bytes: gz.bytes.subarray(0, -5), name: 'wide.parquet.gz' })).rejects.toMatchObject({
      code: 'CODEC_TRUNCATED',
    })
    expect(await tempFiles()).toEqual([])
  })

  it('is refused where it is larger than it may be', async () => {
    const reading = rowsOf(pieces(wide), { format: 'parquet', maxSpoolBytes: wide.length - 1 })
    await expect(reading).rejects.toMatchObject({ code: 'SPOOL_LIMIT_EXCEEDED' })
    expect(await rowsOf(pieces(wide), { format: 'parquet', maxSpoolBytes: wide.length, limit: 0 })).toEqual([])
    expect(await tempFiles()).toEqual([])
  })

  it('leaves no temp file when the source fails or the reading is aborted', async () => {
    async function* failing() {
      yield wide.subarray(0, 1000)
      throw new Error('the line is cut')
    }
    await expect(rowsOf(failing(), { format: 'parquet' })).rejects.toThrow('the line is cut')
    const controller = new AbortController()
    async function* aborting() {
      yield wide.subarray(0, 1000)
      controller.abort(new Error('enough'))
      yield wide.subarray(1000)
    }
    await expect(rowsOf(aborting(), { format: 'parquet', signal: controller.signal })).rejects.toThrow('enough')
    expect(await tempFiles()).toEqual([])
  })
})
