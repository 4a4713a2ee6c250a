/** Lines of several places of a file, and what their rows have in common: what comes late is known before it comes. */
import { open } from 'node:fs/promises'
import { FieldsInferrer } from '../../core/infer-values.ts'
import type { ColumnSchema } from '../../core/schema.ts'
import type { Row } from '../../core/types.ts'
import { openIterable } from '../../open.ts'
import type { Unfit } from './request.ts'

/** Bytes that are looked at in the beginning, the middle and the end. */
const WINDOW_BYTES = 128 * 1024
/** Rows by which a reader tells its columns (`sampled-schema.ts`). */
const FIRST_ROWS = 100
const LF = 0x0a

export interface JsonSample {
  readonly columns: readonly ColumnSchema[]
  /** What the first rows show, as a reader tells it. */
  readonly first: readonly ColumnSchema[]
  /** As they stand in the file; without brackets of an array. */
  readonly lines: readonly string[]
  readonly indent: string
}

/** Some rows, by our own reader; or why they cannot be those of DuckDB. */
export async function sampleJson(path: string, array: boolean): Promise<JsonSample | Unfit> {
  const lines = (await linesOf(path)).filter(line => line !== '' && !(array && (line === '[' || line === ']')))
  if (lines.length === 0) return { reason: 'the file has no lines of a size that DuckDB reads' }
  const indent = array ? /^[ \t]*/.exec(lines[0]!)![0] : ''
  const texts = array ? lines.map(line => line.replace(/,$/, '')) : lines
  const inferrer = new FieldsInferrer()
  const first = new FieldsInferrer()
  let rows = 0
  try {
    const reader = openIterable<Row>({ text: texts.join('\n'), name: 'sample.jsonl' })
    for await (const row of reader) {
      if (Array.isArray(row)) return { reason: 'rows are arrays' }
      inferrer.observe(row)
      if (rows++ < FIRST_ROWS) first.observe(row)
    }
  } catch {
    // Our own road has the words, and the place.
    return { reason: array ? 'the elements of the JSON array are not a line each' : 'a line is not a row' }
  }
  return { columns: inferrer.columns ?? [], first: first.columns ?? [], lines, indent }
}

/** Whole lines of the windows. */
async function linesOf(path: string): Promise<string[]> {
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    const starts = [0, Math.floor((size - WINDOW_BYTES) / 2), size - WINDOW_BYTES]
    const lines: string[] = []
    let from = 0
    for (const start of starts) {
      if (start < from) continue
      const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(WINDOW_BYTES), 0, WINDOW_BYTES, start)
      const bytes = buffer.subarray(0, bytesRead)
      const first = start === 0 ? 0 : bytes.indexOf(LF) + 1
      const last = start + bytesRead === size ? bytesRead : bytes.lastIndexOf(LF)
      const text = bytes.subarray(first, Math.max(first, last)).toString()
      lines.push(...text.replace(/^\ufeff/, '').split('\n'))
      from = start + bytesRead
    }
    return lines
  } finally {
    await file.close()
  }
}
