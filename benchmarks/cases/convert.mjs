/**
 * Conversions between all pairs of formats: as `convert` does them, by our own readers and writers alone, and by one `COPY`
 * of DuckDB that somebody wrote by hand who knows the columns and their types.
 */
import { existsSync } from 'node:fs'
import { mkdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { dataFolder } from '../lib/data.mjs'
import { measureInTurn, measureOnce } from '../lib/measure.mjs'
import { chooseOutputFolder } from '../lib/output.mjs'
import { formatRatio, ratioOf } from '../lib/report.mjs'
import { geometricMean } from '../lib/statistics.mjs'
import { loadLibrary } from '../lib/subject.mjs'

/** @typedef {{ name: string, type: string }} Column of the Parquet file, by DuckDB's type */
/** @typedef {{ from: string, warm: string, to: string, columns: Column[] }} Input the formats are the extensions */

const FORMATS = ['csv', 'jsonl', 'json', 'parquet']
const vega = name => fileURLToPath(new URL(`../../node_modules/vega-datasets/data/${name}`, import.meta.url))

/** Where the rows come from; `repeat`: how often, in the quick and in the full run. */
const SHAPES = {
  flights: {
    title: 'narrow: a timestamp, integers, short texts',
    rows: { quick: 500_000, full: 1_000_000 },
    select: rows => `SELECT * FROM read_parquet(${text(vega('flights-3m.parquet'))}) LIMIT ${rows}`,
  },
  birdstrikes: {
    title: '14 columns, most of them text',
    rows: { quick: 100_000, full: 200_000 },
    select: rows =>
      `SELECT t.* FROM range(${rows / 10_000}) r(i), (FROM read_csv(${text(vega('birdstrikes.csv'))}, dateformat = 'x')) t`,
  },
}

const AUTO = 'open-iterable'
const ROWS = 'open-iterable, by rows'
const COPY = 'DuckDB COPY'

const text = value => `'${value.replaceAll("'", "''")}'`
const identifier = value => `"${value.replaceAll('"', '""')}"`
const formatOf = path => path.slice(path.lastIndexOf('.') + 1)

async function openDuckDb() {
  const { DuckDBInstance } = await import('@duckdb/node-api')
  const instance = await DuckDBInstance.create(':memory:', { memory_limit: '1GB' })
  const connection = await instance.connect()
  await connection.run("SET TimeZone = 'UTC'")
  const close = () => {
    connection.closeSync()
    instance.closeSync()
  }
  return { connection, close }
}

/** The rows of a file as a query, with the types that our conversion has for them. */
function sourceSql(path, columns, typed) {
  const list = types => `{${columns.map(({ name, type }) => `${text(name)}: ${text(types(type))}`).join(', ')}}`
  switch (formatOf(path)) {
    case 'csv': {
      const own = `auto_detect = false, header = true, delim = ',', quote = '"', escape = '"', nullstr = ''`
      const fields = typed ? list(type => type) : list(() => 'VARCHAR')
      // Fields that stay text are never null.
      const rule = typed ? '' : `, force_not_null = [${columns.map(({ name }) => text(name)).join(', ')}]`
      return `read_csv(${text(path)}, ${own}, columns = ${fields}${rule})`
    }
    case 'parquet':
      return `read_parquet(${text(path)})`
    default: {
      const format = formatOf(path) === 'json' ? 'array' : 'newline_delimited'
      const types = list(type => (type === 'TIMESTAMP' ? 'VARCHAR' : type))
      return `read_json(${text(path)}, format = '${format}', columns = ${types})`
    }
  }
}

function copySql({ from, to, columns }) {
  const target = formatOf(to)
  const isText = target !== 'parquet'
  const values = columns.map(({ name, type }) => {
    const stamped = type === 'TIMESTAMP' && formatOf(from) === 'parquet' && isText
    return stamped ? `strftime(${identifier(name)}, '%Y-%m-%dT%H:%M:%S.%gZ') AS ${identifier(name)}` : identifier(name)
  })
  const options = {
    csv: 'FORMAT csv, HEADER true',
    jsonl: 'FORMAT json',
    json: 'FORMAT json, ARRAY true',
    parquet: 'FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1',
  }[target]
  return `COPY (SELECT ${values.join(', ')} FROM ${sourceSql(from, columns, !isText)}) TO ${text(to)} (${options})`
}

/** What is in an output, in its order: rows, a sum over all their values, and the types of a Parquet file. */
async function examine({ from, to, columns }) {
  const peakRssBefore = process.resourceUsage().maxRSS * 1024
  const { connection, close } = await openDuckDb()
  // Text from CSV stays text in JSON.
  const asText = formatOf(from) === 'csv' || formatOf(to) === 'csv'
  const read = sourceSql(to, asText ? columns.map(({ name }) => ({ name, type: 'VARCHAR' })) : columns, false)
  const cells = columns.map(({ name }) => `coalesce(${identifier(name)}::VARCHAR, '')`).join(', ')
  const sql = `SELECT count(*)::DOUBLE AS rows, sum((h % 1000003) * (p % 1009 + 1))::DOUBLE AS checksum
    FROM (SELECT hash(${cells}) AS h, row_number() OVER () AS p FROM ${read})`
  const [row] = (await connection.runAndReadAll(sql)).getRowObjectsJS()
  const described =
    formatOf(to) === 'parquet' ? await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${read}`) : undefined
  const types = described?.getRowObjectsJS().map(({ column_type: type }) => type)
  close()
  await rm(to)
  return { ...row, types: types?.join(), convertPeakRss: peakRssBefore }
}

const byLibrary = engine => async (input, clock) => {
  const { convert, openIterable } = await loadLibrary()
  // Modules and DuckDB's instance are there before the clock starts, as those of DuckDB alone are.
  const held = openIterable(input.warmParquet, { limit: 1 })
  await held
  await convert(input.warm, input.to, { engine })
  clock.start()
  const result = await convert(input.from, input.to, { engine })
  clock.stop()
  await held.close()
  return { engine: result.engine, reason: result.plan.reasons[0], ...(await examine(input)) }
}

/** @type {Record<string, (input: Input, clock: { start(): void, stop(): void }) => Promise<object>>} */
export const variants = {
  [AUTO]: byLibrary('auto'),
  [ROWS]: byLibrary('rows'),
  async [COPY](input, clock) {
    const { connection, close } = await openDuckDb()
    await connection.run(copySql({ ...input, from: input.warm }))
    clock.start()
    await connection.run(copySql(input))
    clock.stop()
    close()
    return examine(input)
  },
}

/** The same rows in a file of each format; those that are timed, and small ones of the same kind. */
async function provideFiles(shape, mode) {
  await mkdir(dataFolder, { recursive: true })
  const { select, rows } = SHAPES[shape]
  const { connection, close } = await openDuckDb()
  const columnsOf = async path =>
    (await connection.runAndReadAll(`DESCRIBE SELECT * FROM read_parquet(${text(path)})`))
      .getRowObjectsJS()
      .map(({ column_name: name, column_type: type }) => ({ name, type }))
  let columns
  const provide = async (name, count) => {
    const pathOf = format => join(dataFolder, `convert-${name}.${format}`)
    const parquet = pathOf('parquet')
    const make = async (path, sql) => {
      if (existsSync(path)) return
      // Its name keeps the extension, which says how it is written.
      const part = path.replace(/([^.]+)$/, 'part.$1')
      await connection.run(sql(part))
      await rename(part, path)
    }
    await make(parquet, to => `COPY (${select(count)}) TO ${text(to)} (FORMAT parquet, COMPRESSION zstd)`)
    columns ??= await columnsOf(parquet)
    for (const format of FORMATS) await make(pathOf(format), to => copySql({ from: parquet, to, columns }))
    return Object.fromEntries(FORMATS.map(format => [format, pathOf(format)]))
  }
  try {
    const files = await provide(`${shape}-${mode}`, rows[mode])
    const samples = await provide(`${shape}-sample`, 10_000)
    return { files, samples, columns, rows: rows[mode] }
  } finally {
    close()
  }
}

/** The variants of a pair: equal outputs of the sample first, then all in turn. */
async function comparePair(pair, data, { chosen, rounds, folder, report }) {
  const [from, to] = pair
  const where = `convert, ${from} to ${to}`
  const inputOf = (files, variant) => ({
    from: files[from],
    warm: data.samples[from],
    warmParquet: data.samples.parquet,
    to: join(folder, `convert-${process.pid}-${chosen.indexOf(variant)}.${to}`),
    columns: data.columns,
  })
  const onWrong = (message, variant) =>
    variant === COPY ? report.finding(where, variant, message) : report.fail(`${where}: ${message}`)
  const differs = (reading, truth) =>
    ['rows', 'checksum', 'types'].every(key => reading[key] === truth[key])
      ? undefined
      : `${reading.rows} rows, checksum ${reading.checksum}, ${reading.types}, not ${truth.rows}, ${truth.checksum}, ${truth.types}`
  const one = (variant, files) => measureOnce({ case: 'convert', variant, input: inputOf(files, variant) })
  const [small, whole] = [await one(ROWS, data.samples), await one(ROWS, data.files)]
  if (whole.rows !== data.rows) report.fail(`${where}: ${whole.rows} rows, not ${data.rows}`)
  const proven = []
  for (const variant of chosen) {
    const reading = await one(variant, data.samples).catch(error => ({ error }))
    const wrong = reading.error?.message ?? differs(reading, small)
    if (wrong === undefined) proven.push(variant)
    else onWrong(`${variant}: ${wrong}`, variant)
  }
  return measureInTurn(
    { case: 'convert', variants: proven, inputOf: variant => inputOf(data.files, variant), rounds },
    reading => differs(reading, whole),
    onWrong,
  )
}

export async function run({ report, choose, chooseShapes, rounds, quick }) {
  const mode = quick ? 'quick' : 'full'
  const chosen = choose(Object.keys(variants))
  const pushed = []
  for (const shape of chooseShapes(Object.keys(SHAPES))) {
    const data = await provideFiles(shape, mode)
    const { size } = await stat(data.files.json)
    const folder = await chooseOutputFolder(size)
    const lines = []
    const held = []
    for (const from of FORMATS) {
      for (const to of FORMATS) {
        const summaries = await comparePair([from, to], data, { chosen, rounds, folder, report })
        const own = summaries[AUTO]
        const pair = `${from} to ${to}`
        if (own === undefined) continue
        const { engine } = own.readings[0]
        const cpu = base => summaries[base] && summaries[base].cpuMs / own.cpuMs
        const peak = variant =>
          summaries[variant]
            ? (Math.max(...summaries[variant].readings.map(reading => reading.convertPeakRss)) / 1e6).toFixed(0)
            : '–'
        lines.push([
          pair,
          engine,
          own.ms.toFixed(0),
          `${own.minMs.toFixed(0)}–${own.maxMs.toFixed(0)}`,
          formatRatio(ratioOf(summaries, ROWS, AUTO)),
          formatRatio(cpu(ROWS)),
          formatRatio(ratioOf(summaries, COPY, AUTO)),
          formatRatio(cpu(COPY)),
          [AUTO, ROWS, COPY].map(peak).join(' / '),
        ])
        held.push({ pair, engine, summaries })
      }
    }
    report.table(
      `convert: ${shape} (${SHAPES[shape].title}), ${data.rows.toLocaleString('en')} rows`,
      ['pair', 'engine', 'ms', 'min–max', '× rows', 'cpu ×', `× ${COPY}`, 'cpu ×', 'peak RSS MB: ours / rows / COPY'],
      lines,
    )
    for (const { pair, engine, summaries } of held) {
      const { [AUTO]: own, [COPY]: copy } = summaries
      report.ratios(`${shape}, ${pair}`, summaries, { base: COPY, own: [AUTO] })
      if (engine === 'duckdb') {
        const ratio = ratioOf(summaries, ROWS, AUTO)
        report.target(`convert ${shape}, ${pair} by DuckDB, × our own road`, ratio, { atLeast: 3 })
        if (ratio !== undefined) pushed.push(ratio)
        // Our own road runs on one thread, and its pairs have no such target: the table tells both times.
        report.target(`convert ${shape}, ${pair}, time of the same COPY`, copy && own.ms / copy.ms, { atMost: 1.05 })
      }
    }
  }
  if (pushed.length > 0) report.headline('Conversions by DuckDB, × our own road', geometricMean(pushed))
}
