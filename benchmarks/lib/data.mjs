/**
 * The data that is measured: real tables of vega-datasets in nine shapes. A file is a header and one body of two
 * megabytes, repeated until the size is reached, so that what a file holds follows from what its sample (the header
 * and one body) holds. The same input gives the same bytes; files are kept in `benchmarks/data/`.
 */
import { createReadStream, createWriteStream, readFileSync } from 'node:fs'
import { mkdir, open, rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { createGzip } from 'node:zlib'
import { parse } from 'csv-parse/sync'

export const dataFolder = fileURLToPath(new URL('../data/', import.meta.url))
const BODY_BYTES = 2_000_000

const vegaFolder = fileURLToPath(new URL('../../node_modules/vega-datasets/data/', import.meta.url))
const readVega = name => readFileSync(join(vegaFolder, name), 'utf8')
const readVegaCsv = name => parse(readVega(name), { columns: true })
const readVegaJson = name => JSON.parse(readVega(name))

/**
 * @typedef {object} Shape
 * @property {string} title what is special about it
 * @property {boolean} ascii
 * @property {() => Record<string, unknown>[]} rows the rows of one body, before it is filled up to its size
 * @property {string} [eol] the line end of the CSV file
 * @property {boolean} [quoteAll] whether each cell of the CSV file is quoted
 */

/** @type {Record<string, Shape>} */
export const SHAPES = {
  birdstrikes: {
    title: 'text and numbers, CRLF',
    ascii: true,
    rows: () => readVegaCsv('birdstrikes.csv').map(row => mapValues(row, numberWherePlain)),
    eol: '\r\n',
  },
  flights: { title: 'narrow, short rows', ascii: true, rows: () => readVegaJson('flights-20k.json') },
  sp500: { title: 'numeric', ascii: true, rows: () => readVegaCsv('sp500-2000.csv') },
  airports: { title: 'text, few quotes', ascii: true, rows: () => readVegaCsv('airports.csv') },
  movies: { title: 'text with quotes, empty cells', ascii: false, rows: () => readVegaJson('movies.json') },
  wide: { title: '100 columns', ascii: true, rows: makeWideRows },
  quoted: {
    title: 'each cell quoted, many with delimiters and quotes inside',
    ascii: true,
    rows: makeQuotedRows,
    quoteAll: true,
  },
  multiline: { title: 'long fields with line breaks', ascii: false, rows: makeMultilineRows },
  utf8: { title: 'UTF-8, Cyrillic, Greek, kana, CJK, emoji', ascii: false, rows: makeUtf8Rows },
}

/**
 * Not of the nine: its body repeats nothing within two megabytes, so that a codec finds no more in it than in a file of
 * this size.
 * @type {Record<string, Shape>}
 */
const UNREPEATED = {
  zipcodes: { title: 'text and coordinates, no row twice', ascii: true, rows: () => readVegaCsv('zipcodes.csv') },
}

/** Twenty flights beside each other. */
function makeWideRows() {
  const flights = readVegaJson('flights-20k.json')
  const rows = []
  for (let start = 0; start + 20 <= flights.length; start += 20) {
    const entries = []
    for (let i = 0; i < 20; i++) {
      for (const [name, value] of Object.entries(flights[start + i])) entries.push([`${name}_${i + 1}`, value])
    }
    rows.push(Object.fromEntries(entries))
  }
  return rows
}

function makeQuotedRows() {
  return readVegaCsv('birdstrikes.csv').map((row, i) => {
    const operator = row['Aircraft Airline Operator']
    if (i % 2 === 0) row['Aircraft Airline Operator'] = `${operator}, ${row['Origin State']}`
    if (i % 3 === 0) row['Wildlife Species'] = `"${row['Wildlife Species']}"`
    return row
  })
}

function makeMultilineRows() {
  return readVegaJson('movies.json').map((movie, i) => ({
    id: i + 1,
    title: String(movie.Title),
    notes: [
      `${movie.Title}, released on ${movie['Release Date']} by ${movie.Distributor ?? 'an unknown distributor'}.`,
      `Directed by ${movie.Director ?? 'nobody we know of'}; ${movie['Major Genre'] ?? 'no genre'}, rated "${movie['MPAA Rating']}".`,
      '',
      `It took ${movie['US Gross']} dollars in the United States, and ${movie['Worldwide Gross']} all over the world,`,
      `with a budget of ${movie['Production Budget']} dollars. Based on: ${movie.Source ?? 'unknown'}.`,
      `${movie['IMDB Votes'] ?? 0} viewers gave it ${movie['IMDB Rating'] ?? 'no'} points, the critics ${movie['Rotten Tomatoes Rating'] ?? 'none'}.`,
    ].join('\n'),
    released: movie['Release Date'],
  }))
}

const SCRIPTS = { cyrillic: 0x430, greek: 0x3b1, kana: 0x30a2, cjk: 0x4e00 }

function makeUtf8Rows() {
  const scripts = Object.values(SCRIPTS)
  return readVegaJson('movies.json').map((movie, i) => {
    const write = value => transliterate(String(value ?? 'Unknown'), scripts[i % scripts.length])
    return {
      номер: i + 1,
      название: i % 10 === 0 ? `${write(movie.Title)} 🎬` : write(movie.Title),
      監督: write(movie.Director),
      σενάριο: write(movie.Source),
      жанр: write(movie['Major Genre']),
      год: movie['Release Date'].slice(-4),
      прокат: write(movie.Distributor),
    }
  })
}

/** Puts a letter of another script in the place of each Latin one. */
function transliterate(text, firstLetter) {
  return text.toLowerCase().replace(/[a-z]/g, letter => String.fromCharCode(firstLetter + letter.charCodeAt(0) - 97))
}

function mapValues(row, map) {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, map(value)]))
}

function numberWherePlain(text) {
  return text !== '' && String(Number(text)) === text ? Number(text) : text
}

/** @type {Record<'csv' | 'jsonl', (shape: Shape) => { header: string, lines: string[] }>} */
const ENCODERS = {
  csv({ rows, eol = '\n', quoteAll = false }) {
    const encodeCell = value => {
      const text = value === null ? '' : String(value)
      return quoteAll || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
    }
    const encodeLine = cells => cells.map(encodeCell).join(',') + eol
    const table = rows()
    return { header: encodeLine(Object.keys(table[0])), lines: table.map(row => encodeLine(Object.values(row))) }
  },
  jsonl({ rows }) {
    return { header: '', lines: rows().map(row => `${JSON.stringify(row)}\n`) }
  },
}

/**
 * @typedef {object} Data
 * @property {string} shape
 * @property {string} file the file that is timed
 * @property {string} sample its header and one body
 * @property {number} bytes of `file`
 * @property {number} repetitions of the body in `file`
 * @property {number} lines of one body: line breaks, also those inside a field
 */

/**
 * Makes the file of a shape, unless it is there, and says what is in it.
 * @param {string} shapeName
 * @param {'csv' | 'jsonl'} format
 * @param {number} megabytes at least so many, of a million bytes each
 * @returns {Promise<Data>}
 */
export async function provideData(shapeName, format, megabytes) {
  const { header, body, lines } = makeBody(SHAPES[shapeName] ?? UNREPEATED[shapeName], format)
  const repetitions = Math.ceil((megabytes * 1e6 - header.length) / body.length)
  const bytes = header.length + body.length * repetitions
  const file = join(dataFolder, `${shapeName}-${megabytes}mb.${format}`)
  const sample = join(dataFolder, `${shapeName}-sample.${format}`)
  await mkdir(dataFolder, { recursive: true })
  await writeFile(sample, Buffer.concat([header, body]))
  if ((await sizeOf(file)) !== bytes) await writeRepeated(file, header, body, repetitions)
  return { shape: shapeName, file, sample, bytes, repetitions, lines }
}

/** @returns {Promise<Data>} the same data, compressed; `bytes` stays the size before compression */
export async function provideGzip(data) {
  for (const source of [data.file, data.sample]) {
    const target = `${source}.gz`
    if ((await modifiedAt(target)) > (await modifiedAt(source))) continue
    await pipeline(createReadStream(source), createGzip(), createWriteStream(`${target}.part`))
    await rename(`${target}.part`, target)
  }
  return { ...data, file: `${data.file}.gz`, sample: `${data.sample}.gz` }
}

/**
 * The rows of a JSONL file as one JSON document, an array with an element a line.
 * @param {Data} data of a JSONL file
 * @returns {Promise<Data>}
 */
export async function provideJson(data) {
  const body = Buffer.from(readFileSync(data.sample, 'utf8').replaceAll('\n', ',\n'))
  // The last comma gives way to the closing bracket.
  const last = Buffer.concat([body.subarray(0, -2), Buffer.from('\n]\n')])
  const write = async (file, repetitions) => {
    const bytes = 2 + body.length * (repetitions - 1) + last.length
    if ((await sizeOf(file)) === bytes) return bytes
    const handle = await open(`${file}.part`, 'w')
    try {
      await handle.writeFile('[\n')
      for (let i = 1; i < repetitions; i++) await handle.writeFile(body)
      await handle.writeFile(last)
    } finally {
      await handle.close()
    }
    await rename(`${file}.part`, file)
    return bytes
  }
  const [file, sample] = [data.file, data.sample].map(path => path.replace(/jsonl$/, 'json'))
  await write(sample, 1)
  return { ...data, file, sample, bytes: await write(file, data.repetitions) }
}

function makeBody(shape, format) {
  const { header, lines } = ENCODERS[format](shape)
  const once = lines.join('')
  const body = Buffer.from(once.repeat(Math.ceil(BODY_BYTES / Buffer.byteLength(once))))
  let lineCount = 0
  for (let at = body.indexOf(10); at !== -1; at = body.indexOf(10, at + 1)) lineCount++
  return { header: Buffer.from(header), body, lines: lineCount }
}

async function writeRepeated(file, header, body, repetitions) {
  const handle = await open(`${file}.part`, 'w')
  try {
    await handle.writeFile(header)
    for (let i = 0; i < repetitions; i++) await handle.writeFile(body)
  } finally {
    await handle.close()
  }
  await rename(`${file}.part`, file)
}

async function sizeOf(file) {
  return (await stat(file).catch(() => undefined))?.size
}

async function modifiedAt(file) {
  return (await stat(file).catch(() => undefined))?.mtimeMs ?? 0
}
