/** Values of one column → the memory of an Arrow array. */
import type { Data } from 'apache-arrow'
import { OutputBuffer } from '../../core/bytes.ts'
import { JsonWriter } from '../../core/json.ts'
import type { ArrowPackage } from './peer.ts'
import { type ArrowType, dataTypeOf, nanosecondsOf } from './write-types.ts'

const DAY_MS = 86_400_000

/** `values` all fit the type. */
export function dataOf(arrow: ArrowPackage, type: ArrowType, values: readonly unknown[]): Data {
  const { length } = values
  const bitmap = new Uint8Array(((length + 63) >> 6) << 3)
  let nullCount = 0
  for (let i = 0; i < length; i++) {
    if (values[i] === null || values[i] === undefined) nullCount++
    else bitmap[i >> 3]! |= 1 << (i & 7)
  }
  const common = { type: dataTypeOf(arrow, type), length, nullCount, nullBitmap: bitmap }
  return arrow.makeData({ ...common, ...buffersOf(arrow, type, values) } as never) as Data
}

function buffersOf(arrow: ArrowPackage, type: ArrowType, values: readonly unknown[]): object {
  const { length } = values
  switch (type.kind) {
    case 'boolean': {
      const data = new Uint8Array(((length + 63) >> 6) << 3)
      for (let i = 0; i < length; i++) if (values[i] === true) data[i >> 3]! |= 1 << (i & 7)
      return { data }
    }
    case 'integer':
      return { data: BigInt64Array.from(values, value => BigInt((value ?? 0) as number | bigint)) }
    case 'number':
      return { data: Float64Array.from(values, value => (value ?? 0) as number) }
    case 'date':
      return { data: Int32Array.from(values, value => ((value as Date | null)?.getTime() ?? 0) / DAY_MS) }
    case 'timestamp':
      return { data: BigInt64Array.from(values, value => microsecondsOf(value as Date | null)) }
    case 'text':
      return piecesOf(values.map(value => (typeof value === 'string' ? Buffer.from(value) : undefined)))
    case 'json':
      return piecesOf(values.map(jsonOf))
    case 'binary':
      return piecesOf(values.map(value => (value ?? undefined) as Uint8Array | undefined))
    case 'list': {
      const offsets = new Int32Array(length + 1)
      const items: unknown[] = []
      for (let i = 0; i < length; i++) {
        for (const item of (values[i] ?? []) as unknown[]) items.push(item)
        offsets[i + 1] = items.length
      }
      return { valueOffsets: offsets, child: dataOf(arrow, type.items, items) }
    }
    case 'struct':
      return {
        children: type.fields.map(([name, field]) =>
          dataOf(
            arrow,
            field,
            values.map(value => (value as Record<string, unknown> | null)?.[name]),
          ),
        ),
      }
  }
}

function microsecondsOf(date: Date | null | undefined): bigint {
  if (date === null || date === undefined) return 0n
  return BigInt(date.getTime()) * 1000n + BigInt(nanosecondsOf(date) / 1000)
}

function jsonOf(value: unknown): Uint8Array | undefined {
  if (value === null || value === undefined) return undefined
  const out = new OutputBuffer()
  new JsonWriter(out, { bigint: 'number', nonFinite: 'string' }).value(value)
  return Uint8Array.from(out.bytes.subarray(0, out.length))
}

function piecesOf(pieces: readonly (Uint8Array | undefined)[]): object {
  const valueOffsets = new Int32Array(pieces.length + 1)
  let end = 0
  for (const [i, piece] of pieces.entries()) {
    end += piece?.length ?? 0
    valueOffsets[i + 1] = end
  }
  const data = new Uint8Array(end)
  for (const [i, piece] of pieces.entries()) if (piece !== undefined) data.set(piece, valueOffsets[i])
  return { valueOffsets, data }
}
