/**
 * Writing to Postgres: rows beside INSERT of 1,000 rows each and `psql` COPY FROM; and a table to Parquet and back, under
 * flat memory and with equal checksums. The server is started here, from the binaries that the tests use.
 */
import { spawn } from 'node:child_process'
import { mkdtemp, open, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startPostgres } from '../../test/support/postgres-server.mjs'
import { measureInTurn, measureOnce } from '../lib/measure.mjs'
import { connect, hasPsql } from '../lib/postgres.mjs'
import { chartRates } from '../lib/report.mjs'
import { loadLibrary } from '../lib/subject.mjs'

const OURS = 'open-iterable'
const INSERT = 'INSERT of 1000'
const PSQL = 'psql COPY FROM'
const COLUMNS = ['id', 'big', 'f', 't', 'ts', 'n', 'j', 'nb', 'b', 'ni']
const TABLE = `(id int4, big int8, f float8, t text, ts timestamptz, n numeric(12,2), j jsonb, nb text, b bool, ni int4)`
const INSERT_ROWS = 1000

function makeRow(i) {
  return {
    id: i,
    big: BigInt(i) * 1_234_567n,
    f: i * 0.37 + 0.1,
    t: `name of row ${i} é`,
    ts: new Date(1_704_067_200_000 + i * 1003),
    n: (i * 1.01).toFixed(2),
    j: { k: i, s: `v${i % 100}` },
    nb: i % 2 === 0 ? null : `text with,\tcomma and "quote" ${i % 1000}`,
    b: i % 3 === 0,
    ni: i % 5 === 0 ? null : i % 100_000,
  }
}

const makeRows = count => Array.from({ length: count }, (_, i) => makeRow(i + 1))

/** A line for `psql`, made apart from the library. */
function lineOf(row) {
  const values = COLUMNS.map(name => {
    const value = row[name]
    if (value === null) return '\\N'
    const text =
      value instanceof Date ? value.toISOString() : typeof value === 'object' ? JSON.stringify(value) : String(value)
    return text.replaceAll('\\', '\\\\').replaceAll('\t', '\\t')
  })
  return `${values.join('\t')}\n`
}

const CHECKSUM = 'SELECT count(*)::int AS rows, sum(hashtextextended(t::text, 0))::text AS digest FROM'

/** What is in the table, by the server's own account. */
async function prove(client, table) {
  return (await client.query(`${CHECKSUM} ${table} AS t`)).rows[0]
}

async function writing({ url, rows }, clock, work) {
  const client = await connect(url)
  await client.query('TRUNCATE bench')
  const all = makeRows(rows)
  await work(client, all, clock)
  const peakRss = process.resourceUsage().maxRSS * 1024
  const proof = await prove(client, 'bench')
  await client.end()
  return { ...proof, writePeakRss: peakRss }
}

async function insertAll(client, rows, named) {
  await client.query('BEGIN')
  for (let start = 0; start < rows.length; start += INSERT_ROWS) {
    const part = rows.slice(start, start + INSERT_ROWS)
    const values = part.flatMap(row => COLUMNS.map(name => row[name]))
    const tuples = part.map((_, r) => `(${COLUMNS.map((_name, c) => `$${r * COLUMNS.length + c + 1}`).join(', ')})`)
    const text = `INSERT INTO bench VALUES ${tuples.join(', ')}`
    await client.query(named && part.length === INSERT_ROWS ? { name: 'insert', text, values } : { text, values })
  }
  await client.query('COMMIT')
}

async function writeByOwn(url, rows, clock, options) {
  const { closeConnections, openIterable } = await loadLibrary()
  // Connected and loaded beforehand, as the driver's client is.
  await openIterable(url, { query: 'SELECT 1 AS a' }).readBulk()
  const warm = await openIterable(url, { mode: 'w', table: 'bench', ...options })
  await warm.abort()
  clock.start()
  const out = openIterable(url, { mode: 'w', table: 'bench', ...options })
  await out.writeBulk(rows)
  await out.close()
  clock.stop()
  await closeConnections()
}

/** @type {Record<string, (input: any, clock: { start(): void, stop(): void }) => Promise<object>>} */
export const variants = {
  [INSERT]: (input, clock) =>
    writing(input, clock, async (client, rows) => {
      clock.start()
      await insertAll(client, rows, false)
      clock.stop()
    }),

  'INSERT of 1000, prepared': (input, clock) =>
    writing(input, clock, async (client, rows) => {
      clock.start()
      await insertAll(client, rows, true)
      clock.stop()
    }),

  [PSQL]: (input, clock) =>
    writing(input, clock, async () => {
      clock.start()
      const psql = spawn('psql', [input.url, '-qX', '-c', `\\copy bench from '${input.file}'`], { stdio: 'inherit' })
      const code = await new Promise(resolve => psql.on('close', resolve))
      clock.stop()
      if (code !== 0) throw new Error(`psql ended with ${code}`)
    }),

  [OURS]: (input, clock) => writing(input, clock, (_, rows) => writeByOwn(input.url, rows, clock, {})),
  'open-iterable, onError: skip': (input, clock) =>
    writing(input, clock, (_, rows) => writeByOwn(input.url, rows, clock, { onError: 'skip' })),
  'open-iterable, copy: false': (input, clock) =>
    writing(input, clock, (_, rows) => writeByOwn(input.url, rows, clock, { copy: false })),

  /** A table to Parquet, and the file into another table. */
  async convert({ url, rows, folder }, clock) {
    const { closeConnections, convert } = await loadLibrary()
    const client = await connect(url)
    await client.query(`DROP TABLE IF EXISTS back; DROP TABLE IF EXISTS large; CREATE TABLE large ${TABLE}`)
    await client.query(
      `INSERT INTO large SELECT i, i::int8 * 1234567, i * 0.37 + 0.1, 'name of row ' || i || ' é',
        '2024-01-01Z'::timestamptz + i * interval '1.003457 second', (i * 1.01)::numeric(12,2), jsonb_build_object('k', i, 's', 'v' || (i % 100)),
        CASE WHEN i % 2 = 0 THEN NULL ELSE E'text with,\\tcomma and "quote" ' || i % 1000 END, i % 3 = 0,
        CASE WHEN i % 5 = 0 THEN NULL ELSE i % 100000 END FROM generate_series(1, $1::int) AS i`,
      [rows],
    )
    const file = join(folder, 'large.parquet')
    clock.start()
    const there = await convert(`${url}?table=large`, file)
    const back = await convert(file, `${url}?table=back`, { write: { create: true, sqlTypes: { j: 'jsonb' } } })
    clock.stop()
    const peakRss = process.resourceUsage().maxRSS * 1024
    const proofs = [await prove(client, 'large'), await prove(client, 'back')]
    await client.query('DROP TABLE large, back')
    await client.end()
    await closeConnections()
    return {
      rows,
      proofs,
      convertPeakRss: peakRss,
      fileBytes: (await stat(file)).size,
      thereMs: there.elapsedMs,
      backMs: back.elapsedMs,
    }
  },
}

/** @param {import('../run.mjs').Context} context */
export async function run({ report, quick, rounds, choose }) {
  const server = await startPostgres({ settings: { max_wal_size: '4GB' } })
  const folder = await mkdtemp(join(tmpdir(), 'open-iterable-postgres-'))
  try {
    const { url } = server
    const client = await connect(url)
    await client.query(`CREATE TABLE bench ${TABLE}`)
    await client.end()
    await compareWriting({ report, rounds, choose, url, folder, rows: quick ? 100_000 : 300_000 })
    await measureConversion(report, { url, folder, rows: quick ? 500_000 : 5_000_000 })
  } finally {
    await server.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

async function compareWriting({ report, rounds, choose, url, folder, rows }) {
  const withPsql = hasPsql(report)
  const chosen = choose(Object.keys(variants).filter(name => name !== 'convert' && (withPsql || name !== PSQL)))
  const file = join(folder, 'rows.copy')
  const handle = await open(file, 'w')
  for (let i = 1; i <= rows; i++) await handle.appendFile(lineOf(makeRow(i)))
  await handle.close()
  const input = { url, rows, file }
  const truth = await measureOnce({ case: 'postgres-write', variant: INSERT, input })
  const summaries = await measureInTurn(
    { case: 'postgres-write', variants: chosen, inputOf: () => input, rounds },
    ({ rows: written, digest }) =>
      written === rows && digest === truth.digest
        ? undefined
        : `wrote ${written} rows of digest ${digest}, not ${truth.digest}`,
    (message, variant) => {
      if (variant.startsWith(OURS)) report.fail(`postgres-write: ${message}`)
      else report.finding('postgres-write', variant, message)
    },
  )
  const ms = variant => summaries[variant]?.ms
  report.table(
    `${rows.toLocaleString('en')} rows of 10 columns into a table`,
    ['', 'ms', 'rows/s', `× ${INSERT}`],
    Object.keys(summaries).map(name => [
      name,
      ms(name).toFixed(0),
      Math.round((rows / ms(name)) * 1000).toLocaleString('en'),
      (ms(INSERT) / ms(name)).toFixed(2),
    ]),
  )
  report.ratios('write', summaries, { base: INSERT })
  report.chart(
    chartRates(summaries, {
      amount: rows,
      unit: 'thousand rows/s',
      file: 'postgres-write.svg',
      title: `row objects → a table of Postgres, ${rows.toLocaleString('en')} rows of 10 columns`,
      subtitle: 'psql is given the finished text',
    }),
  )
  report.headline('Postgres written, × INSERT of 1000', ms(INSERT) / ms(OURS))
  report.target('rows over INSERT of 1000', ms(INSERT) / ms(OURS), { atLeast: 4 })
  report.target('rows over psql COPY FROM', ms(PSQL) / ms(OURS), { atLeast: 0.8 })
}

async function measureConversion(report, input) {
  const few = await measureOnce({
    case: 'postgres-write',
    variant: 'convert',
    input: { ...input, rows: input.rows / 5 },
  })
  const many = await measureOnce({ case: 'postgres-write', variant: 'convert', input })
  const [large, back] = many.proofs
  if (large.rows !== input.rows || JSON.stringify(large) !== JSON.stringify(back)) {
    report.fail(`postgres-write: ${JSON.stringify(large)} became ${JSON.stringify(back)}`)
  }
  report.table(
    `${input.rows.toLocaleString('en')} rows to Parquet (${(many.fileBytes / 2 ** 20).toFixed(0)} MB) and back, checksum ${large.digest}`,
    ['', 's', 'rows/s'],
    [
      ['to Parquet', many.thereMs],
      ['back', many.backMs],
    ].map(([name, ms]) => [name, (ms / 1000).toFixed(1), Math.round((input.rows / ms) * 1000).toLocaleString('en')]),
  )
  report.note(
    `  peak memory ${(many.convertPeakRss / 2 ** 20).toFixed(0)} MB, of a fifth of the rows ${(few.convertPeakRss / 2 ** 20).toFixed(0)} MB`,
  )
  report.target('peak memory over that of a fifth of the rows', many.convertPeakRss / few.convertPeakRss, {
    atMost: 1.5,
  })
}
