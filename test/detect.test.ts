import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import type { ByteSource } from '../src/core/types.ts'
import { detect } from '../src/detect.ts'
import { findFormat } from '../src/registry.ts'
import { dialectOptions, type SniffedDialect } from '../src/sniff/detection.ts'
import { refusalOf, sniffDeep } from '../src/sniff/layers.ts'

// It brings no types.
const Papa = createRequire(import.meta.url)('papaparse') as {
  parse(text: string): { readonly meta: { readonly delimiter: string } }
}

const NASTY = join(import.meta.dirname, '../fixtures/detect')
const REAL = join(import.meta.dirname, '../node_modules/vega-datasets/data')

interface Expected {
  readonly what: string
  readonly format?: string
  readonly codecs?: readonly string[]
  /** A codec that may or may not be registered. */
  readonly codec?: string
  readonly encoding?: string
  readonly dialect?: SniffedDialect
  readonly obstacle?: string
  /** The content speaks against the name. */
  readonly denied?: boolean
}
const nasty = JSON.parse(readFileSync(join(NASTY, 'expected.json'), 'utf8')) as Record<string, Expected>

describe('detect on nasty files', () => {
  it('has a verdict for each file', () => {
    expect(readdirSync(NASTY).sort()).toEqual([...Object.keys(nasty), 'README.md', 'expected.json'].sort())
  })

  it.each(Object.entries(nasty))('%s', async (name, expected) => {
    const found = await detect(join(NASTY, name))
    if (expected.codec !== undefined) {
      expect(found.codecs).toEqual([expected.codec])
      // The file is cut short: whether or not there is a codec for it, nothing can be read.
      expect(found.obstacle ?? found.evidence.join()).toMatch(/nothing here reads|decoded|then:/)
      return
    }
    expect(found.codecs).toEqual(expected.codecs ?? [])
    expect(found.format).toBe(expected.format)
    if (expected.dialect !== undefined) expect(found.dialect).toEqual(expected.dialect)
    if (expected.encoding !== undefined) expect(found.encoding).toBe(expected.encoding)
    if (expected.denied === true) expect(found.confidence.format).toBeLessThan(0.5)
    if (expected.obstacle !== undefined) expect(found.obstacle).toContain(expected.obstacle)
    else if (found.format === undefined || findFormat(found.format) !== undefined)
      expect(found.obstacle).toBeUndefined()
    expect(found.evidence.length).toBeGreaterThan(0)
  })

  it('finds all delimiters; papaparse guesses fewer', () => {
    const texts = Object.entries(nasty).filter(
      ([, { dialect, codecs }]) => dialect !== undefined && codecs === undefined,
    )
    const guessed = texts.filter(([name, { dialect, encoding }]) => {
      const text = new TextDecoder(encoding ?? 'utf-8').decode(readFileSync(join(NASTY, name)))
      return Papa.parse(text).meta.delimiter === dialect!.delimiter
    })
    expect(texts.length).toBeGreaterThanOrEqual(40)
    expect(guessed.length).toBeLessThan(texts.length)
  })
})

const csv = (columns: number, recordDelimiter: '\n' | '\r\n' = '\n') => ({
  format: 'csv',
  dialect: { delimiter: ',', header: true, fromLine: 1, columnCount: columns, recordDelimiter },
})
const real: Readonly<Record<string, object>> = {
  'airports.csv': csv(7),
  'birdstrikes.csv': csv(14, '\r\n'),
  'co2-concentration.csv': csv(3),
  'disasters.csv': csv(3),
  'flights-airport.csv': csv(3),
  'gapminder-health-income.csv': csv(5),
  'github.csv': csv(2),
  'global-temp.csv': csv(2, '\r\n'),
  'iowa-electricity.csv': csv(3),
  'la-riots.csv': csv(11),
  'lookup_groups.csv': csv(2),
  'lookup_people.csv': csv(3),
  'population_engineers_hurricanes.csv': csv(5),
  'seattle-weather-hourly-normals.csv': csv(4),
  'seattle-weather.csv': csv(6),
  'sp500-2000.csv': csv(7),
  'sp500.csv': csv(2),
  'species.csv': csv(6),
  'stocks.csv': csv(3),
  'us-employment.csv': csv(24),
  'weather.csv': csv(7),
  'windvectors.csv': csv(5, '\r\n'),
  'zipcodes.csv': csv(6),
  'unemployment.tsv': { format: 'csv', dialect: { delimiter: '\t', header: true, columnCount: 2 } },
  'cars.json': { format: 'json' },
  'budget.json': { format: 'json' },
  'miserables.json': { format: 'json' },
  'us-10m.json': { format: 'json' },
  'monarchs.json': { format: 'json' },
  'flights-3m.parquet': { format: 'parquet' },
  'flights-200k.arrow': { format: 'arrow' },
  '7zip.png': { obstacle: 'the content is a PNG image, not a table' },
}

describe('detect on real files', () => {
  it.each(Object.entries(real))('%s, by its content alone', async (name, expected) => {
    const bytes = readFileSync(join(REAL, name))
    expect(await detect({ bytes })).toMatchObject(expected)
    expect(await detect(join(REAL, name))).toMatchObject(expected)
  })

  it.each(['airports.csv', 'stocks.csv', 'cars.json'])('%s in gzip, as a stream', async name => {
    const chunks = [gzipSync(gzipSync(readFileSync(join(REAL, name))))]
    expect(await detect(Readable.from(chunks))).toMatchObject({ ...real[name], codecs: ['gzip', 'gzip'] })
  })
})

describe('detect', () => {
  it('keeps what was given', async () => {
    const text = 'a;b\n1;2\n3;4\n'
    expect((await detect({ text }, { delimiter: ',' })).dialect).toMatchObject({ delimiter: ',', columnCount: 1 })
    expect((await detect({ text }, { header: false })).dialect).toMatchObject({ delimiter: ';', header: false })
    expect(await detect({ text, name: 'x.csv' }, { format: 'jsonl' })).toMatchObject({ format: 'jsonl' })
    const bytes = gzipSync(gzipSync(text))
    expect(await detect({ bytes }, { codecs: ['gzip'] })).toMatchObject({ codecs: ['gzip'] })
    expect((await detect({ bytes }, { codecs: ['gzip'] })).format).toBeUndefined()
    expect((await detect({ bytes }, { codecs: [] })).codecs).toEqual([])
  })

  it('refuses options that it does not know', async () => {
    await expect(detect({ text: '' }, { delimeter: ',' } as object)).rejects.toMatchObject({ code: 'OPTION_UNKNOWN' })
    await expect(detect({ text: '' }, { sampleBytes: 1 })).rejects.toMatchObject({ code: 'OPTION_INVALID' })
  })

  it('fails as opening does', async () => {
    await expect(detect('/nowhere/x.csv')).rejects.toMatchObject({ code: 'SOURCE_NOT_FOUND' })
    await expect(detect(42)).rejects.toMatchObject({ code: 'TARGET_UNSUPPORTED' })
    await expect(detect({ text: 'a' }, { signal: AbortSignal.abort(new Error('no')) })).rejects.toThrow('no')
  })

  it('says what damage it met, and what it had found until then', async () => {
    const damaged = Buffer.concat([gzipSync('a,b\n1,2\n').subarray(0, 3), Buffer.from('not gzip at all')])
    const found = await detect({ bytes: damaged })
    expect(found.codecs).toEqual(['gzip'])
    expect(found.obstacle).toMatch(/cannot be decoded: .*CODEC_CORRUPT/)
  })

  it('gives up on a file that is compressed without an end', async () => {
    let bytes: Uint8Array = Buffer.from('a,b\n1,2\n')
    for (let i = 0; i < 12; i++) bytes = gzipSync(bytes)
    const found = await detect({ bytes })
    expect(found.obstacle).toBe('more than 8 codecs lie around the content')
  })

  it('finds neither codecs nor format where there are rows', async () => {
    expect(await detect([{ a: 1 }])).toMatchObject({ codecs: [], evidence: ['the target holds rows, not bytes'] })
  })
})

describe('sniffDeep', () => {
  it.each([1, 7, 65_536])('gives the decoded source from its first byte, in chunks of %i bytes', async chunkBytes => {
    const rows = Array.from({ length: 20_000 }, (_, i) => `${i},name ${i}`)
    const text = `id,name\n${rows.join('\n')}\n`
    const bytes = gzipSync(gzipSync(text))
    let disposed = 0
    const source: ByteSource = {
      label: 'x',
      replayable: false,
      async *stream() {
        for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes)
      },
      async [Symbol.asyncDispose]() {
        disposed++
      },
    }
    const found = await sniffDeep(source, { signal: new AbortController().signal })
    expect(found.detection).toMatchObject({ format: 'csv', codecs: ['gzip', 'gzip'], dialect: { columnCount: 2 } })
    const parts: Buffer[] = []
    for await (const chunk of found.source.stream()) parts.push(Buffer.from(chunk))
    expect(Buffer.concat(parts).toString()).toBe(text)
    await found.source[Symbol.asyncDispose]()
    expect(disposed).toBe(1)
  })
})

describe('refusalOf', () => {
  it('lists the candidates of what cannot be decided', async () => {
    const error = refusalOf(await detect({ text: 'name\nAda\nGrace\n' }), 'people')
    expect(error).toMatchObject({ code: 'FORMAT_UNKNOWN', label: 'people' })
    expect(error!.message).toMatch(
      /it may be csv \(0\.\d\d: 3 rows of one column\); name it, as in \{ format: 'csv' \}/,
    )
    expect(refusalOf(await detect({ text: '' }), 'x')).toMatchObject({ code: 'FORMAT_UNKNOWN' })
  })

  it('names what it is that cannot be read', async () => {
    const page = await detect({ text: '<html><title>Sign in</title></html>', name: 'x.csv' })
    expect(refusalOf(page, 'x.csv')).toMatchObject({
      code: 'FORMAT_UNSUPPORTED',
      message: 'x.csv [FORMAT_UNSUPPORTED] the content is an HTML page, not a table',
    })
    expect(refusalOf(await detect({ text: 'a,b\n1,2\n3,4\n' }), 'x')).toBeUndefined()
  })
})

describe('dialectOptions', () => {
  const readable = Object.entries(nasty).filter(
    ([, { dialect, encoding, codecs }]) =>
      dialect !== undefined && (encoding ?? 'utf-8') === 'utf-8' && codecs === undefined,
  )

  it.each(readable)('reads %s to its end', async (name, { dialect }) => {
    const format = await findFormat('csv')!.load()
    const bytes = readFileSync(join(NASTY, name))
    const bad: Error[] = []
    const reader = await format.openReader!(
      memory(bytes),
      { ...dialectOptions(dialect!) },
      { label: name, signal: new AbortController().signal, onBadRecord: error => void bad.push(error) },
    )
    const rows: unknown[] = []
    for (let batch = await reader.read(); batch !== null; batch = await reader.read()) rows.push(...batch)
    await reader[Symbol.asyncDispose]()
    // A footer is no record; and a single column of unquoted sentences cannot be told from broken records.
    expect(bad.length).toBeLessThanOrEqual(/ragged-tail|sentences/.test(name) ? 4 : 0)
    if (name !== 'only-header.csv') expect(rows.length).toBeGreaterThan(0)
    for (const row of rows) expect(Object.keys(row as object)).toHaveLength(dialect!.columnCount)
  })
})

const memory = (bytes: Uint8Array): ByteSource => ({
  label: 'memory',
  replayable: true,
  async *stream() {
    if (bytes.length > 0) yield bytes
  },
  async [Symbol.asyncDispose]() {},
})
