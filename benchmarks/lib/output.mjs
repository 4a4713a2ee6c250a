/** What the writing cases share: the rows to write, the place to write to, and the proof of what was written. */
import { createHash } from 'node:crypto'
import { open, readFile, rm, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'csv-parse/sync'
import { dataFolder } from './data.mjs'
import { loadSubject } from './subject.mjs'
import { compareShapes } from './suite.mjs'

const BATCH_ROWS = 500

/**
 * A file system in memory where there is one with room, so that no disk is measured: the library makes its output
 * durable before it publishes it (fsync), which no peer does.
 * @param {number} bytesNeeded
 */
export async function chooseOutputFolder(bytesNeeded) {
  const memory = await statfs('/dev/shm').catch(() => undefined)
  return memory && memory.bavail * memory.bsize > bytesNeeded * 3 ? '/dev/shm' : dataFolder
}

/**
 * The rows of a sample as objects, and as batches that repeat them.
 * @param {{ sample: string, format: 'csv' | 'jsonl', repetitions: number }} input
 */
export async function loadRows({ sample, format, repetitions }) {
  const rows = parseRows(await readFile(sample, 'utf8'), format)
  const batches = function* () {
    for (let i = 0; i < repetitions; i++) {
      for (let start = 0; start < rows.length; start += BATCH_ROWS) yield rows.slice(start, start + BATCH_ROWS)
    }
  }
  return { rows, columns: Object.keys(rows[0]), batches }
}

/**
 * Proves an output and removes it. It must be a header and one body, repeated; the first body must parse to exactly
 * the rows that were written (checked by csv-parse, or by JSON.parse line by line).
 * @param {string} file
 * @param {{ format: 'csv' | 'jsonl', repetitions: number }} input
 * @param {Record<string, unknown>[]} rows
 */
export async function proveOutput(file, { format, repetitions }, rows) {
  const handle = await open(file)
  try {
    const { size } = await handle.stat()
    const headerBytes = format === 'csv' ? (await readAt(handle, 0, 65_536)).indexOf(10) + 1 : 0
    const bodyBytes = (size - headerBytes) / repetitions
    if (!Number.isInteger(bodyBytes)) throw new Error(`${size} bytes are not ${repetitions} times the same rows`)
    const first = await readAt(handle, 0, headerBytes + bodyBytes)
    const body = first.subarray(headerBytes)
    for (let i = 1; i < repetitions; i++) {
      const next = await readAt(handle, headerBytes + i * bodyBytes, bodyBytes)
      if (!next.equals(body)) throw new Error(`repetition ${i + 1} differs from the first`)
    }
    const written = digestOf(parseRows(first.toString(), format))
    if (written !== digestOf(rows)) throw new Error('the output does not hold the rows that were written')
    return { rows: rows.length * repetitions, digest: written, outputBytes: size }
  } finally {
    await handle.close()
    await rm(file)
  }
}

/** @param {string} text */
function parseRows(text, format) {
  if (format === 'csv') return parse(text, { columns: true })
  const lines = text.split('\n')
  if (lines.pop() !== '') throw new Error('the last line is not ended')
  return lines.map(line => JSON.parse(line))
}

function digestOf(rows) {
  const hash = createHash('sha1')
  for (const row of rows) hash.update(JSON.stringify(row))
  return hash.digest('hex')
}

async function readAt(handle, position, length) {
  const buffer = Buffer.allocUnsafe(length)
  let filled = 0
  while (filled < length) {
    const { bytesRead } = await handle.read(buffer, filled, length - filled, position + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return buffer.subarray(0, filled)
}

/**
 * The library writing: by `writeBulk` a batch, or by `write` a row.
 * @param {'csv' | 'jsonl'} format
 * @param {{ rowByRow?: boolean }} [options]
 */
export function bySubject(format, { rowByRow = false } = {}) {
  return async (input, clock) => {
    const openIterable = await loadSubject(format)
    const { rows, batches } = await loadRows(input)
    const file = outputPath(input.folder, format)
    clock.start()
    const writer = openIterable(file, { mode: 'w' })
    if (rowByRow) {
      for (const batch of batches()) for (const row of batch) await writer.write(row)
    } else for (const batch of batches()) await writer.writeBulk(batch)
    await writer.close()
    clock.stop()
    return proveOutput(file, input, rows)
  }
}

/**
 * Compares variants that write, on each shape.
 * @param {import('./suite.mjs').Context} context
 * @param {Omit<import('./suite.mjs').Suite, 'inputOf' | 'sampleOf' | 'prepare'>} suite
 */
export function compareWriters(context, suite) {
  const { format } = suite
  return compareShapes(context, {
    ...suite,
    prepare: async data => ({ ...data, folder: await chooseOutputFolder(data.bytes) }),
    inputOf: ({ sample, repetitions, folder }) => ({ sample, format, repetitions, folder }),
    sampleOf: ({ sample, folder }) => ({ sample, format, repetitions: 1, folder }),
  })
}

/** A path of this process in a folder. */
export function outputPath(folder, format) {
  return join(folder, `open-iterable-bench-${process.pid}.${format}`)
}
