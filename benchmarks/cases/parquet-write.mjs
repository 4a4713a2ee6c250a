/** Writing Parquet files from an endless-looking sequence of rows, against what one would do with DuckDB, and hyparquet-writer. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { measureInTurn, measureOnce } from '../lib/measure.mjs'
import { chooseOutputFolder } from '../lib/output.mjs'
import { chartRates, formatRatio, ratioOf } from '../lib/report.mjs'
import { median } from '../lib/statistics.mjs'
import { loadLibrary } from '../lib/subject.mjs'

/** @typedef {{ rows: number, folder: string }} Input */

/** Rows of a batch, and batches that are made once and come again and again. */
const BATCH_ROWS = 2000
const BATCHES = 50

const COLUMNS = [
  ['id', 'BIGINT'],
  ['name', 'VARCHAR'],
  ['city', 'VARCHAR'],
  ['remark', 'VARCHAR'],
  ['amount', 'BIGINT'],
  ['score', 'DOUBLE'],
  ['maybe', 'DOUBLE'],
  ['flag', 'BOOLEAN'],
  ['moment', 'TIMESTAMP'],
]

function makeRow(i) {
  return {
    id: i,
    name: `user ${i}`,
    city: ['Berlin', 'Paris', 'Rome', 'Oslo'][i % 4],
    remark: `The ${i % 977}th of many sentences, written by nobody.`,
    amount: (i * 7919) % 1_000_003,
    score: (i % 10_007) / 8 + 0.125,
    maybe: i % 5 === 0 ? null : i / 3 + 0.1,
    flag: i % 3 === 0,
    moment: new Date(1_577_836_800_000 + i * 61_000),
  }
}

function* batchesOf(rows) {
  const made = Array.from({ length: BATCHES }, (_, b) =>
    Array.from({ length: BATCH_ROWS }, (_, i) => makeRow(b * BATCH_ROWS + i)),
  )
  for (let i = 0; i < rows / BATCH_ROWS; i++) yield made[i % BATCHES]
}

const text = path => `'${path.replaceAll("'", "''")}'`

async function openDuckDb() {
  const api = await import('@duckdb/node-api')
  const instance = await api.DuckDBInstance.create(':memory:', { memory_limit: '1GB' })
  return { api, connection: await instance.connect() }
}

const CREATE = `CREATE TEMP TABLE t (${COLUMNS.map(([name, type]) => `${name} ${type}`).join(', ')})`
const copy = path => `COPY t TO ${text(path)} (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)`

/** What is in the file: each variant must have written the same. */
async function prove(path) {
  const { connection } = await openDuckDb()
  const sums = `count(*)::DOUBLE AS rows, sum(id)::DOUBLE + sum(amount)::DOUBLE + sum(length(name)) + sum(length(remark)) + count(maybe)
    + count_if(flag) + sum(score) + max(epoch_ms(moment)) AS checksum`
  const reader = await connection.runAndReadAll(`SELECT ${sums} FROM read_parquet(${text(path)})`)
  const [row] = reader.getRowObjectsJS()
  await rm(path)
  return row
}

/** @type {Record<string, (input: Input, clock: { start(): void, stop(): void }) => Promise<object>>} */
export const variants = {
  async 'DuckDB, row by row'({ rows, folder }, clock) {
    const path = join(folder, 'appender.parquet')
    const { api, connection } = await openDuckDb()
    const batches = [...batchesOf(rows)]
    clock.start()
    await connection.run(CREATE)
    const appender = await connection.createAppender('t')
    let pending = 0
    for (const batch of batches) {
      for (const row of batch) {
        appender.appendBigInt(BigInt(row.id))
        appender.appendVarchar(row.name)
        appender.appendVarchar(row.city)
        appender.appendVarchar(row.remark)
        appender.appendBigInt(BigInt(row.amount))
        appender.appendDouble(row.score)
        if (row.maybe === null) appender.appendNull()
        else appender.appendDouble(row.maybe)
        appender.appendBoolean(row.flag)
        appender.appendTimestamp(new api.DuckDBTimestampValue(BigInt(row.moment.getTime()) * 1000n))
        appender.endRow()
      }
      pending += batch.length
      if (pending < 16_384) continue
      appender.flushSync()
      pending = 0
    }
    appender.closeSync()
    await connection.run(copy(path))
    clock.stop()
    return prove(path)
  },

  async 'DuckDB, DataChunkWriter'({ rows, folder }, clock) {
    const path = join(folder, 'chunks.parquet')
    const { api, connection } = await openDuckDb()
    const batches = [...batchesOf(rows)]
    clock.start()
    await connection.run(CREATE)
    const appender = await connection.createAppender('t')
    const writer = api.DuckDBDataChunkWriter.forAppender(appender)
    let pending = 0
    for (const batch of batches) {
      for (const row of batch) {
        writer.appendRow([
          BigInt(row.id),
          row.name,
          row.city,
          row.remark,
          BigInt(row.amount),
          row.score,
          row.maybe,
          row.flag,
          new api.DuckDBTimestampValue(BigInt(row.moment.getTime()) * 1000n),
        ])
      }
      pending += batch.length
      if (pending < 16_384) continue
      writer.flush()
      appender.flushSync()
      pending = 0
    }
    writer.flush()
    appender.closeSync()
    await connection.run(copy(path))
    clock.stop()
    return prove(path)
  },

  async 'hyparquet-writer'({ rows, folder }, clock) {
    const path = join(folder, 'hyparquet.parquet')
    const { parquetWriteFile } = await import('hyparquet-writer')
    const batches = [...batchesOf(rows)]
    clock.start()
    const data = Object.fromEntries(COLUMNS.map(([name]) => [name, []]))
    for (const batch of batches) {
      for (const row of batch) for (const [name] of COLUMNS) data[name].push(row[name])
    }
    data.id = data.id.map(BigInt)
    data.amount = data.amount.map(BigInt)
    const types = { BIGINT: 'INT64', VARCHAR: 'STRING', DOUBLE: 'DOUBLE', BOOLEAN: 'BOOLEAN', TIMESTAMP: 'TIMESTAMP' }
    await parquetWriteFile({
      filename: path,
      columnData: COLUMNS.map(([name, type]) => ({ name, data: data[name], type: types[type] })),
    })
    clock.stop()
    return prove(path)
  },

  async 'open-iterable'({ rows, folder }, clock) {
    const path = join(folder, 'open-iterable.parquet')
    const { openIterable } = await loadLibrary()
    const batches = [...batchesOf(rows)]
    clock.start()
    const writer = openIterable(path, { mode: 'w' })
    for (const batch of batches) await writer.writeBulk(batch)
    const closing = performance.now()
    await writer.close()
    const closeMs = performance.now() - closing
    clock.stop()
    // Before DuckDB reads the file back in this process.
    const peakRss = process.resourceUsage().maxRSS * 1024
    return { ...(await prove(path)), closeMs, writePeakRss: peakRss }
  },
}

const OURS = 'open-iterable'
const REFERENCE = 'DuckDB, DataChunkWriter'

export async function run({ report, choose, rounds, quick }) {
  const rows = quick ? 200_000 : 1_000_000
  const folder = await chooseOutputFolder(rows * 100)
  const chosen = choose(Object.keys(variants))
  let truth
  const summaries = await measureInTurn(
    { case: 'parquet-write', variants: chosen, inputOf: () => ({ rows, folder }), rounds },
    reading => {
      truth ??= reading
      const same = reading.rows === truth.rows && Math.abs(reading.checksum / truth.checksum - 1) <= 1e-12
      return same ? undefined : `wrote ${reading.rows} rows of checksum ${reading.checksum}, not ${truth.checksum}`
    },
    (message, variant) => {
      if (variant === OURS) report.fail(`parquet-write: ${message}`)
      else report.finding('parquet-write', variant, message)
    },
  )
  report.table(
    `parquet-write: ${rows.toLocaleString('en')} rows of ${COLUMNS.length} columns`,
    ['variant', 'ms', 'min–max', 'M rows/s', `× ${REFERENCE}`],
    Object.entries(summaries).map(([variant, { ms, minMs, maxMs }]) => [
      variant,
      ms.toFixed(0),
      `${minMs.toFixed(0)}–${maxMs.toFixed(0)}`,
      (rows / ms / 1000).toFixed(2),
      formatRatio(ratioOf(summaries, REFERENCE, variant)),
    ]),
  )
  report.ratios('write', summaries, { base: REFERENCE })
  report.chart(
    chartRates(summaries, {
      amount: rows,
      unit: 'thousand rows/s',
      file: 'parquet-write.svg',
      title: `row objects → Parquet file, ${rows.toLocaleString('en')} rows of ${COLUMNS.length} columns`,
    }),
  )
  report.headline("Parquet written, × DuckDB's chunk writer", ratioOf(summaries, REFERENCE, OURS))
  if (!chosen.includes(OURS)) return
  const against = [
    [REFERENCE, 1.7],
    ['DuckDB, row by row', 3],
    ['hyparquet-writer', 4],
  ]
  for (const [variant, atLeast] of against) {
    report.target(`parquet-write, × ${variant}`, ratioOf(summaries, variant, OURS), { atLeast })
  }
  // The same with so much more rows: memory and the time of close() are to stay.
  const long = await measureOnce({
    case: 'parquet-write',
    variant: OURS,
    input: { rows: quick ? rows * 5 : 5_000_000, folder },
  })
  const closeMs = median(summaries[OURS]?.readings.map(reading => reading.closeMs) ?? [])
  report.note(`  close(): ${closeMs.toFixed(0)} ms; after five times the rows ${long.closeMs.toFixed(0)} ms`)
  report.target('parquet-write, peak memory', long.writePeakRss / 1e6, { atMost: 300, unit: ' MB' })
}
