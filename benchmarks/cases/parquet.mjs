/** Reading Parquet files: batches of plain objects, against DuckDB's own ways to objects, and hyparquet. */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, open, readFile, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { dataFolder } from '../lib/data.mjs'
import { measureInTurn, measureOnce } from '../lib/measure.mjs'
import { importPeer } from '../lib/peers.mjs'
import { chartShapes, ratioOf, ratiosOf, tabulate, tabulateShapes } from '../lib/report.mjs'
import { geometricMean } from '../lib/statistics.mjs'
import { loadLibrary } from '../lib/subject.mjs'
import { presentOf } from '../lib/suite.mjs'

const flights = fileURLToPath(new URL('../../node_modules/vega-datasets/data/flights-3m.parquet', import.meta.url))

/** What is selected `FROM range(rows)`. */
const GENERATED = {
  mixed: {
    title: '1 M rows × 11 columns of all kinds',
    rows: 1_000_000,
    select: `i AS id, 'user ' || i AS name, ['Berlin', 'Paris', 'Rome', 'Oslo'][1 + i % 4] AS city,
      'The ' || (i % 977) || 'th of many sentences, written by nobody.' AS remark, (i * 7919) % 1000003 AS amount,
      (i % 10007) / 8.0 AS score, CASE WHEN i % 5 = 0 THEN NULL ELSE i / 3.0 END AS maybe, i % 3 = 0 AS flag,
      TIMESTAMP '2020-01-01' + to_seconds(i * 61) AS moment, DATE '2000-01-01' + (i % 9000)::INTEGER AS day,
      CASE WHEN i % 7 = 0 THEN NULL ELSE 'Straße ' || (i % 5000) END AS street`,
  },
  nested: {
    title: '500 k rows with lists and structs',
    rows: 500_000,
    select: `i::INTEGER AS id, list_transform(range(i % 4), x -> 'tag ' || x) AS tags,
      {'lat': (i % 180) - 90.5::DOUBLE, 'lon': (i % 360) - 180.25::DOUBLE, 'name': 'place ' || i % 1000} AS place,
      [{'sku': 'S' || i % 500, 'count': (i % 9)::INTEGER}, {'sku': 'T' || i % 300, 'count': 1::INTEGER}] AS items`,
  },
  numeric: {
    title: '2 M rows × 6 columns of numbers',
    rows: 2_000_000,
    select: `i::INTEGER AS a, i AS b, i / 7.0 AS c, (i * 31) % 1000 / 3.0 AS d, (i % 100)::SMALLINT AS e, i * 1000003 AS f`,
  },
  long: { title: '5 M rows × 11 columns', rows: 5_000_000 },
}
GENERATED.long.select = GENERATED.mixed.select

const loadDuckDb = async () => (await import('@duckdb/node-api')).DuckDBInstance
/** Gives `openIterable`, with modules loaded and DuckDB's instance there, as those of the others are before their clock starts. */
const loadSubject = async file => {
  const { openIterable } = await loadLibrary()
  const held = openIterable(file, { limit: 1 })
  await held
  return { openIterable, release: () => held.close() }
}

/** @type {Record<string, (input: { file: string, prove?: boolean }, clock: { start(): void, stop(): void }) => Promise<object>>} */
export const variants = {
  async yieldRowObjectJs(input, clock) {
    const connection = await (await (await loadDuckDb()).create(':memory:')).connect()
    const { take, result } = createTally(input)
    clock.start()
    const stream = await connection.stream('SELECT * FROM read_parquet($1)', [input.file])
    for await (const rows of stream.yieldRowObjectJs()) take(rows)
    return result()
  },

  async 'runAndReadAll, getRowObjectsJS'(input, clock) {
    const connection = await (await (await loadDuckDb()).create(':memory:')).connect()
    const { take, result } = createTally(input)
    clock.start()
    take((await connection.runAndReadAll('SELECT * FROM read_parquet($1)', [input.file])).getRowObjectsJS())
    return result()
  },

  async hyparquet(input, clock) {
    const { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } = await import('hyparquet')
    const { compressors } = await import('hyparquet-compressors')
    const { take, result } = createTally(input)
    clock.start()
    const file = await asyncBufferFromFile(input.file)
    const metadata = await parquetMetadataAsync(file)
    let rowStart = 0
    for (const { num_rows: count } of metadata.row_groups) {
      const rowEnd = rowStart + Number(count)
      take(await parquetReadObjects({ file, metadata, rowStart, rowEnd, compressors }))
      rowStart = rowEnd
    }
    return result()
  },

  /** WebAssembly to Arrow's tables, a table a row group; of these the columns are read, several times as quick as its rows. */
  async 'parquet-wasm with Arrow'(input, clock) {
    const { ParquetFile } = await importPeer('parquet-wasm')
    const { tableFromIPC } = await import('apache-arrow')
    const { take, result } = createTally(input)
    clock.start()
    const file = await ParquetFile.fromFile(new Blob([await readFile(input.file)]))
    const groups = file.metadata().numRowGroups()
    for (let group = 0; group < groups; group++) {
      const table = tableFromIPC((await file.read({ rowGroups: [group] })).intoIPCStream())
      const columns = table.schema.fields.map(({ name, type }, i) => {
        const vector = table.getChildAt(i)
        return [name, type.children?.length > 0 ? at => plainOfArrow(vector.get(at)) : at => vector.get(at)]
      })
      take(rowsOf(columns, table.numRows))
    }
    return result()
  },

  /** By its columns, twice as quick as its `toRecords()`. */
  async 'nodejs-polars'(input, clock) {
    const { default: polars } = await importPeer('nodejs-polars')
    const { take, result } = createTally(input)
    clock.start()
    const frame = polars.readParquet(input.file)
    const columns = Object.entries(frame.toObject()).map(([name, values]) => [name, at => values[at]])
    take(rowsOf(columns, frame.height))
    return result()
  },

  async 'open-iterable'(input, clock) {
    const { openIterable, release } = await loadSubject(input.file)
    const { take, result } = createTally(input)
    clock.start()
    for await (const rows of openIterable(input.file).batches()) take(rows)
    clock.stop()
    await release()
    return result()
  },

  async 'open-iterable rows'(input, clock) {
    const { openIterable, release } = await loadSubject(input.file)
    const { take, result } = createTally(input)
    const one = [undefined]
    clock.start()
    for await (const row of openIterable(input.file)) {
      one[0] = row
      take(one)
    }
    clock.stop()
    await release()
    return result()
  },
}

/** Objects from columns that give their values one by one. */
function rowsOf(columns, count) {
  const rows = new Array(count)
  for (let at = 0; at < count; at++) {
    const row = {}
    for (const [name, valueAt] of columns) row[name] = valueAt(at)
    rows[at] = row
  }
  return rows
}

/** Lists and structs of Arrow as arrays and objects. */
function plainOfArrow(value) {
  if (value === null || typeof value !== 'object') return value
  if (typeof value.toJSON !== 'function' || value instanceof Date) return value
  const plainValue = value.toJSON()
  if (Array.isArray(plainValue)) return plainValue.map(plainOfArrow)
  return Object.fromEntries(Object.entries(plainValue).map(([name, inner]) => [name, plainOfArrow(inner)]))
}

/** What is read of a remote file, by ranges. */
const SOME_COLUMNS = ['id', 'city']

/** A file that can be read by ranges only, as a remote one. */
class Ranged {
  bytes = 0
  constructor(file) {
    this.file = file
  }
  async open() {
    const handle = await open(this.file)
    const { size } = await handle.stat()
    const readRange = async ({ start, end }) => {
      const bytes = new Uint8Array(end - start)
      await handle.read(bytes, 0, bytes.length, start)
      this.bytes += bytes.length
      return bytes
    }
    return { handle, size, readRange }
  }
}

/** Read by ranges; timed apart from the others, which read all columns of a local file. */
const rangedVariants = {
  async 'ranged hyparquet'(input, clock) {
    const { parquetMetadataAsync, parquetReadObjects } = await import('hyparquet')
    const { compressors } = await import('hyparquet-compressors')
    const { take, result } = createTally(input)
    const place = new Ranged(input.file)
    clock.start()
    const { handle, size, readRange } = await place.open()
    const slice = async (start, end = size) =>
      (await readRange({ start: start < 0 ? size + start : start, end })).buffer
    const file = { byteLength: size, slice }
    const metadata = await parquetMetadataAsync(file)
    let rowStart = 0
    for (const { num_rows: count } of metadata.row_groups) {
      const rowEnd = rowStart + Number(count)
      take(await parquetReadObjects({ file, metadata, rowStart, rowEnd, columns: SOME_COLUMNS, compressors }))
      rowStart = rowEnd
    }
    await handle.close()
    return { ...result(), share: place.bytes / size }
  },

  async 'ranged open-iterable'(input, clock) {
    const { openIterable, registerSource } = await loadLibrary()
    registerSource({
      id: 'ranged',
      title: 'ranges of a file',
      reads: true,
      writes: false,
      accepts: target => target instanceof Ranged,
      label: target => target.file,
      fileName: target => target.file,
      load: async () => ({
        async openSource(target) {
          const { handle, size, readRange } = await target.open()
          return {
            label: target.file,
            replayable: true,
            size,
            random: { size: async () => size, readRanges: ranges => Promise.all(ranges.map(readRange)) },
            stream: () => handle.createReadStream({ autoClose: false }),
            [Symbol.asyncDispose]: () => handle.close(),
          }
        },
      }),
    })
    const warm = openIterable(new Ranged(input.file), { limit: 1 })
    await warm.readBulk(1)
    await warm.close()
    const { take, result } = createTally(input)
    const place = new Ranged(input.file)
    clock.start()
    for await (const rows of openIterable(place, { columns: SOME_COLUMNS }).batches()) take(rows)
    return { ...result(), share: place.bytes / (await stat(input.file)).size }
  },
}
const localVariants = Object.keys(variants)
Object.assign(variants, rangedVariants)

/** As that of `lib/tally.mjs`, by batches, for values of all types and engines: equal where they mean the same. */
function createTally({ prove = false }) {
  let rows = 0
  let checksum = 0
  let names
  const hash = prove ? createHash('sha1') : undefined
  return {
    take(batch) {
      names ??= Object.keys(batch[0] ?? {})
      const first = names[0]
      const last = names.at(-1)
      for (let i = 0; i < batch.length; i++) {
        const row = batch[i]
        rows++
        checksum += weigh(row[first]) + weigh(row[last])
        if (hash !== undefined) hash.update(JSON.stringify(names.map(name => plain(row[name]))))
      }
    },
    result: () => ({ rows, checksum, ...(hash === undefined ? {} : { digest: hash.digest('hex') }) }),
  }
}

function weigh(value) {
  if (typeof value === 'string') return value.length
  if (typeof value === 'number') return value | 0
  if (value instanceof Date) return value.getTime() | 0
  return typeof value === 'bigint' ? Number(value) | 0 : Array.isArray(value) ? value.length : 0
}

function plain(value) {
  if (value === null || value === undefined) return null
  if (typeof value === 'bigint') return Number(value)
  if (typeof value !== 'object') return value
  if (value instanceof Date) return value.getTime()
  if (Array.isArray(value)) return value.map(plain)
  return Object.entries(value).map(([name, inner]) => [name, plain(inner)])
}

/** Makes the files that are not there: the one that is timed, and a small one of the same kind for the proof. */
async function provideParquet(shape) {
  await mkdir(dataFolder, { recursive: true })
  const file = shape === 'flights' ? flights : join(dataFolder, `${shape}.parquet`)
  const sample = join(dataFolder, `${shape}-sample.parquet`)
  const instance = await (await loadDuckDb()).create(':memory:')
  const connection = await instance.connect()
  const make = async (path, sql) => {
    if (existsSync(path)) return
    await connection.run(`COPY (${sql}) TO '${path.replaceAll("'", "''")}.part' (FORMAT parquet, COMPRESSION zstd)`)
    await rename(`${path}.part`, path)
  }
  if (shape === 'flights')
    await make(sample, `SELECT * FROM read_parquet('${flights.replaceAll("'", "''")}') LIMIT 20000`)
  else {
    const { rows, select } = GENERATED[shape]
    await make(file, `SELECT ${select} FROM range(${rows}) r(i)`)
    await make(sample, `SELECT ${select} FROM range(20000) r(i)`)
  }
  const [row] = (
    await connection.runAndReadAll('SELECT num_rows FROM parquet_file_metadata($1)', [file])
  ).getRowObjectsJS()
  connection.closeSync()
  instance.closeSync()
  return { file, sample, rows: Number(row.num_rows), bytes: (await stat(file)).size }
}

/** What each variant is held against, by shape: at least so many times the speed. */
const TARGETS = {
  mixed: { yieldRowObjectJs: 4, 'runAndReadAll, getRowObjectsJS': 6, hyparquet: 4 },
  nested: { yieldRowObjectJs: 8, 'runAndReadAll, getRowObjectsJS': 6, hyparquet: 15 },
  numeric: { yieldRowObjectJs: 4, 'runAndReadAll, getRowObjectsJS': 6, hyparquet: 4 },
  flights: { yieldRowObjectJs: 4, 'runAndReadAll, getRowObjectsJS': 6, hyparquet: 4 },
}

const NEEDS = { 'parquet-wasm with Arrow': 'parquet-wasm', 'nodejs-polars': 'nodejs-polars' }

const QUICK_SHAPES = ['mixed', 'nested']
const REFERENCE = 'yieldRowObjectJs'

/**
 * Proves each variant on the sample by a digest of all values, then times all in alternation; each timed run must have
 * the rows and the checksum that the reference has of the same file.
 */
async function compareOn(data, chosen, rounds, { report, where, reference = REFERENCE }) {
  const one = (variant, input) => measureOnce({ case: 'parquet', variant, input })
  const proof = { file: data.sample, prove: true }
  const [sample, whole] = [await one(reference, proof), await one(reference, { file: data.file })]
  const wrong = []
  const onWrong = (message, variant) => {
    if (variant.includes('open-iterable')) return report.fail(`${where}: ${message}`)
    wrong.push(variant)
    return report.finding(where, variant, message)
  }
  const proven = []
  for (const variant of chosen) {
    const { digest, error } = await one(variant, proof).catch(error => ({ error }))
    if (error !== undefined) onWrong(error.message, variant)
    else if (digest === sample.digest) proven.push(variant)
    else onWrong(`${variant}: digest is ${digest}, not ${sample.digest}`, variant)
  }
  const measured = await measureInTurn(
    { case: 'parquet', variants: proven, inputOf: () => ({ file: data.file }), rounds },
    ({ rows, checksum }) =>
      rows === data.rows && checksum === whole.checksum
        ? undefined
        : `${rows} rows, checksum ${checksum}, not ${data.rows}, ${whole.checksum}`,
    onWrong,
  )
  return { measured, wrong }
}

export async function run({ report, choose, chooseShapes, rounds, quick }) {
  const all = choose(presentOf(Object.keys(variants), NEEDS, report))
  const chosen = all.filter(name => localVariants.includes(name))
  const byShape = {}
  const shapes = chosen.length === 0 ? [] : chooseShapes(Object.keys(TARGETS))
  // The files are of one size each; so a quick run has fewer of them, unless they are asked for by name.
  const isAll = shapes.length === Object.keys(TARGETS).length
  for (const shape of quick && isAll ? QUICK_SHAPES : shapes) {
    const data = await provideParquet(shape)
    const { measured, wrong } = await compareOn(data, chosen, rounds, { report, where: `parquet, ${shape}` })
    byShape[shape] = measured
    const title = shape === 'flights' ? 'vega-datasets, 3 M rows × 5 columns' : GENERATED[shape].title
    report.table(
      `parquet: ${shape} (${title}), ${(data.bytes / 1e6).toFixed(0)} MB`,
      ...tabulate(measured, { rows: data.rows, base: REFERENCE, wrong }),
    )
    report.ratios(shape, measured, { base: REFERENCE })
    for (const [base, atLeast] of Object.entries(TARGETS[shape])) {
      const ratio = ratioOf(measured, base, 'open-iterable')
      report.target(`parquet batches, ${shape}, × ${base}`, ratio, { atLeast })
    }
  }
  if (Object.keys(byShape).length > 0) {
    const options = { base: REFERENCE, variants: chosen }
    report.table(`parquet: all shapes, × ${REFERENCE}`, ...tabulateShapes(byShape, options))
    const title = `Parquet → row objects, × DuckDB's ${REFERENCE}`
    report.chart(chartShapes(byShape, { ...options, file: 'parquet.svg', title }))
    const mean = base => geometricMean(ratiosOf(byShape, base, 'open-iterable'))
    report.headline('Parquet by batches, × DuckDB', mean(REFERENCE))
    report.headline('Parquet by batches, × hyparquet', mean('hyparquet'))
  }
  await compareRanged(all, rounds, report)
  if (chosen.includes('open-iterable')) await measureLong(rounds, report)
}

/** Two columns of a file that can be read by ranges only. */
async function compareRanged(all, rounds, report) {
  const ranged = all.filter(name => Object.hasOwn(rangedVariants, name))
  if (ranged.length === 0) return
  const data = await provideParquet('mixed')
  const reference = 'ranged hyparquet'
  const { measured, wrong } = await compareOn(data, ranged, rounds, { report, where: 'parquet, ranged', reference })
  report.table(
    `parquet: mixed, ${SOME_COLUMNS.length} columns of 11 by ranges`,
    ...tabulate(measured, { rows: data.rows, base: reference, wrong }),
  )
  report.target(
    'parquet, 2 of 11 columns by ranges, × hyparquet',
    ratioOf(measured, reference, 'ranged open-iterable'),
    {
      atLeast: 3,
    },
  )
  report.target(
    'parquet, 2 of 11 columns by ranges, share of the bytes',
    measured['ranged open-iterable']?.readings.at(-1).share,
    { atMost: 0.5, unit: '' },
  )
}

async function measureLong(rounds, report) {
  const { file, rows } = await provideParquet('long')
  const peaks = []
  for (let round = 0; round < Math.min(rounds, 3); round++) {
    const reading = await measureOnce({ case: 'parquet', variant: 'open-iterable', input: { file } })
    if (reading.rows !== rows) report.fail(`parquet, long: ${reading.rows} rows, not ${rows}`)
    peaks.push(reading.peakRss / 1e6)
  }
  report.target('parquet batches, 5 M rows × 11, peak memory', Math.max(...peaks), { atMost: 200, unit: ' MB' })
}
