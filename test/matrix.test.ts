/** Every format by every codec from every kind of place gives the same rows; what is new in the registry joins by itself. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pathToFileURL } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { openIterable, type ReadOptions, type ReadTarget, type Row, type WriteOptions } from '../src/index.ts'
import { listCodecs, listFormats } from '../src/registry.ts'

const folder = await mkdtemp(join(tmpdir(), 'open-iterable-'))
afterAll(() => rm(folder, { recursive: true }))

// Texts only, as CSV has no other values; enough for several chunks and blocks.
const rows = Array.from({ length: 500 }, (_, i) => ({ id: `00${i}`, note: `line\n"${i}", é漢🙂`, empty: '' }))

/** What a format needs that does not hold these rows as they are. */
const special: Record<string, { rows: Row[]; write: Omit<WriteOptions, 'mode'>; read: ReadOptions }> = {
  fixed: {
    rows: rows.map(row => ({ ...row, note: row.note.replace('\n', ' ') })),
    write: { fields: ['id', 'note', 'empty'].map((name, i) => ({ name, width: [8, 25, 2][i]! })) },
    read: { fields: ['id', 'note', 'empty'].map((name, i) => ({ name, width: [8, 25, 2][i]! })) },
  },
}

const places: Record<string, (path: string, bytes: Buffer) => ReadTarget | Promise<ReadTarget>> = {
  path: path => path,
  'file: URL': path => pathToFileURL(path),
  'file: URL as text': path => pathToFileURL(path).href,
  bytes: (_, bytes) => bytes,
  Blob: (_, bytes) => new Blob([new Uint8Array(bytes)]),
  'Node Readable': (_, bytes) => Readable.from([bytes.subarray(0, 10), bytes.subarray(10)]),
  'Web ReadableStream': (_, bytes) => new Blob([new Uint8Array(bytes)]).stream(),
  Response: (_, bytes) => new Response(new Uint8Array(bytes)),
  'chunks of 1 byte': (_, bytes) => Array.from(bytes, byte => Buffer.from([byte])),
  'chunks of 7 bytes': (_, bytes) =>
    (function* () {
      for (let start = 0; start < bytes.length; start += 7) yield bytes.subarray(start, start + 7)
    })(),
}

const bothWays = listCodecs()
  .filter(codec => codec.reads && codec.writes)
  .map(codec => codec.id)
const chains: string[][] = [[], ...bothWays.map(id => [id]), bothWays, ['gzip', 'gzip']]

for (const format of listFormats().filter(entry => entry.reads && entry.writes)) {
  for (const codecs of chains) {
    describe([format.id, ...codecs].join(' in '), async () => {
      const extensions = [...codecs].reverse().map(id => listCodecs().find(codec => codec.id === id)!.extensions[0])
      const path = join(folder, ['people', Object.keys(format.extensions)[0], ...extensions].join('.'))
      const { rows: written, write, read } = special[format.id] ?? { rows, write: {}, read: {} }
      const out = openIterable(path, { ...write, mode: 'w' })
      await out.writeBulk(written)
      await out.close()
      const bytes = await readFile(path)

      it('is seen from the name', () => {
        const handle = openIterable(path)
        expect([handle.format, handle.codecs]).toEqual([format.id, codecs])
        expect(out.bytesWritten).toBe(bytes.length)
      })

      for (const [place, make] of Object.entries(places)) {
        it(`is read from: ${place}`, async () => {
          for (const size of [1, 4, 1000, undefined]) {
            const handle = openIterable(await make(path, bytes), { ...read, format: format.id, codecs })
            const found: object[] = []
            for await (const batch of handle.batches(size)) found.push(...batch)
            expect(found).toEqual(written)
            expect(handle.rowsRead).toBe(rows.length)
            // An archive's directory lies at its end, and is read besides.
            if (codecs.includes('zip')) expect(handle.bytesRead).toBeGreaterThan(0)
            else expect(handle.bytesRead).toBe(bytes.length)
          }
        })
      }
    })
  }
}

describe('1,000 times', () => {
  const descriptors = async () => (await import('node:fs')).readdirSync('/proc/self/fd').length

  it('opening, leaving early and failing leaves no descriptor open', async () => {
    const plain = join(folder, 'many.csv')
    const packed = join(folder, 'many.csv.gz')
    const bad = join(folder, 'bad.csv')
    for (const path of [plain, packed]) {
      const out = openIterable(path, { mode: 'w' })
      await out.writeBulk(rows)
      await out.close()
    }
    await writeFile(bad, 'a,b\n1\n')
    const before = await descriptors()
    for (let i = 0; i < 1000; i++) {
      const opened = await openIterable(i % 2 === 0 ? plain : packed)
      await opened.close()
      for await (const _ of openIterable(i % 2 === 0 ? plain : packed)) break
      if (i % 5 === 0) await expect(openIterable(bad).read()).rejects.toMatchObject({ code: 'CSV_RAGGED_RECORD' })
    }
    expect((await descriptors()) - before).toBeLessThanOrEqual(2)
  })

  it('opening at once works, and leaves none open', async () => {
    const path = join(folder, 'many.csv')
    const before = await descriptors()
    const counts = await Promise.all(
      Array.from({ length: 200 }, async () => {
        let count = 0
        for await (const _ of openIterable(path)) count++
        return count
      }),
    )
    expect(new Set(counts)).toEqual(new Set([rows.length]))
    expect((await descriptors()) - before).toBeLessThanOrEqual(2)
  })
})
