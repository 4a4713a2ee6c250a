/** What every format must do, whatever its text looks like: rows come back, by every chunk and batch size. */
import { describe, expect, it } from 'vitest'
import type { Row } from '../core/types.ts'
import { MemoryTarget, openIterable, type ReadOptions, type WriteOptions } from '../index.ts'

/** Rows that a format has to keep. */
export interface FormatSample {
  /** What the test is called. */
  readonly title: string
  /** Rows that the format gives back as they are. */
  readonly rows: readonly object[]
  /** Options to read them with. Default: none. */
  readonly read?: ReadOptions
  /** Options to write them with. Default: none. */
  readonly write?: Omit<WriteOptions, 'mode'>
}

/** A format to test, which is registered. */
export interface FormatSubject {
  /** Its id in the registry. */
  readonly id: string
  /** File name whose extension tells the format. */
  readonly name: string
  /** Rows of all the kinds that the format can hold. */
  readonly samples: readonly FormatSample[]
  /** Whether rows can be appended to a target. Default true. */
  readonly appends?: boolean
  /**
   * Set where the format is binary: the code of the error that empty input is, as there is no file without rows that has
   * no bytes, and of an option, spelt wrong, that the format has.
   */
  readonly binary?: { readonly emptyCode: string; readonly mistyped: readonly [wrong: string, right: string] }
  /** Input of which `bad` is a record that cannot be read, with good rows around it. Binary formats have none. */
  readonly bad?: {
    /** The input. */
    readonly text: string
    /** The code of the error that its bad record is. */
    readonly code: string
    /** The rows before the bad record. */
    readonly before: readonly Row[]
    /** The rows after it. */
    readonly after: readonly Row[]
  }
}

/** Chunks of `size` bytes. */
function* chunks(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.slice(start, start + size)
}

/**
 * Declares the tests that every format passes: rows come back as they were, at any chunk and batch size, errors have
 * their place, and nothing is lost or published in silence.
 */
export function formatContract({ id, name, samples, appends = true, binary, bad }: FormatSubject): void {
  const write = async (rows: readonly object[], options: Omit<WriteOptions, 'mode'> = {}, batch = rows.length) => {
    const target = new MemoryTarget(name)
    const out = openIterable(target, { ...options, mode: 'w' })
    for (let start = 0; start < rows.length; start += batch)
      await out.writeBulk(rows.slice(start, start + batch) as Row[])
    await out.close()
    return target.bytes()
  }
  const read = async (source: Iterable<Uint8Array>, options: ReadOptions = {}, batch = 1000) => {
    const rows: object[] = []
    for await (const part of openIterable(source, { format: id, ...options }).batches(batch)) rows.push(...part)
    return rows
  }

  describe(`format ${id}`, () => {
    it('is told by the extension, and named on the handle', () => {
      expect(openIterable(new MemoryTarget(name)).format).toBe(id)
      expect(openIterable(new MemoryTarget(`${name}.gz`)).codecs).toEqual(['gzip'])
    })

    for (const { title, rows, read: readOptions, write: writeOptions } of samples) {
      it(`gives back: ${title}`, async () => {
        const bytes = await write(rows, writeOptions)
        for (const size of [1, 7, 65_536]) {
          for (const batch of [1, 4, 1000]) {
            expect(await read(chunks(bytes, size), readOptions, batch)).toEqual(rows)
          }
        }
        for (const batch of [1, 3])
          expect(Buffer.from(await write(rows, writeOptions, batch))).toEqual(Buffer.from(bytes))
      })
    }

    it('reads empty input as no rows, and writes no rows as input that is read so', async () => {
      if (binary === undefined) expect(await read([new Uint8Array()])).toEqual([])
      else await expect(read([new Uint8Array()])).rejects.toMatchObject({ code: binary.emptyCode })
      expect(await read([await write([])])).toEqual([])
    })

    if (bad !== undefined) badRecords(id, name, bad)

    if (appends) {
      it('appends so that old and new rows are read', async () => {
        const [first] = samples
        const target = new MemoryTarget(name, await write(first!.rows))
        for (const suffix of ['', '.gz']) {
          const file = new MemoryTarget(`${name}${suffix}`)
          for (let round = 0; round < 3; round++) {
            const out = openIterable(file, { mode: 'a' })
            await out.writeBulk(first!.rows as Row[])
            await out.close()
          }
          const rows: object[] = []
          for await (const row of openIterable(file)) rows.push(row)
          expect(rows).toEqual([...first!.rows, ...first!.rows, ...first!.rows])
        }
        expect(target.bytes().length).toBeGreaterThan(0)
      })
    } else {
      it('says that it cannot append, and leaves what is there', async () => {
        const bytes = await write(samples[0]!.rows)
        const target = new MemoryTarget(name, bytes)
        const out = openIterable(target, { mode: 'a' })
        await expect(out.writeBulk(samples[0]!.rows as Row[])).rejects.toMatchObject({ code: 'FORMAT_UNSUPPORTED' })
        expect(Buffer.from(target.bytes())).toEqual(Buffer.from(bytes))
      })
    }

    it('refuses an option that it does not know, and names the nearest', async () => {
      const [wrong, right] = binary?.mistyped ?? ['encodingErors', 'encodingErrors']
      const mistyped = { [wrong]: 'replace' } as ReadOptions
      await expect(openIterable({ text: '', name }, mistyped).read()).rejects.toMatchObject({
        code: 'OPTION_UNKNOWN',
        hint: `did you mean ${right}?`,
      })
    })
  })
}

/** What becomes of a record that cannot be read. */
function badRecords(id: string, name: string, bad: NonNullable<FormatSubject['bad']>): void {
  it('tells a bad record with its place, after the good rows before it', async () => {
    const handle = openIterable({ text: bad.text, name })
    const rows: Row[] = []
    const error = await (async () => {
      for await (const row of handle) rows.push(row)
    })().catch(caught => caught)
    expect(rows).toEqual(bad.before)
    expect(error).toMatchObject({ code: bad.code, label: name })
    expect(error.line).toBeGreaterThan(0)
    expect(error.byte).toBeGreaterThan(0)
    expect(error.record).toBe(bad.before.length + 1)
    expect(error.message).toContain(`${name}:${error.line}:${error.column} [${bad.code}]`)
    expect([handle.rowsRead, handle.rowsFailed]).toEqual([bad.before.length, 1])
  })

  it('leaves a bad record out when told so, and counts it', async () => {
    for (const size of [1, 7, 65_536]) {
      const handle = openIterable(chunks(Buffer.from(bad.text), size), { format: id, onError: 'skip' })
      const rows: Row[] = []
      for await (const row of handle) rows.push(row as Row)
      expect(rows).toEqual([...bad.before, ...bad.after])
      expect([handle.rowsRead, handle.rowsSkipped, handle.rowsFailed]).toEqual([rows.length, 1, 0])
    }
  })
}
