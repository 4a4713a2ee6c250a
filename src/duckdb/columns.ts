/** DuckDB's vectors → arrays of JavaScript values, one function for each column, made for its type. */
import type { DuckDBType } from '@duckdb/node-api'
import { columnRows } from '../core/column-rows.ts'
import {
  dateValue,
  decimalValue,
  integerValue,
  intervalText,
  mapValue,
  timestampOfUnits,
  timestampValue,
  timeText,
  uuidText,
} from '../core/stored-values.ts'
import type { ValueModes } from '../core/value-options.ts'
import type { LoadedDuckDb, NativeVector } from './binding.ts'
import { readBytes, TextColumn } from './column-text.ts'
import { otherValue } from './other-values.ts'
import { isValid, validityOf, viewOf } from './vector-views.ts'

/** The first `count` values of a vector. */
export type ColumnReader = (vector: NativeVector, count: number) => ArrayLike<unknown>

const TWO_32 = 2 ** 32
/** The high half of integers beyond ±2^53. */
const SAFE_HIGH = 2 ** 21

/** The reader of columns of a type. It may remember values of chunks before, so each column has its own. */
export function columnReader(duckdb: LoadedDuckDb, type: DuckDBType, modes: ValueModes): ColumnReader {
  const { native } = duckdb
  const T = duckdb.api.DuckDBTypeId

  /** Values that a typed array has as they are. */
  const plain =
    <A extends ArrayLike<unknown>>(view: {
      readonly BYTES_PER_ELEMENT: number
      new (buffer: ArrayBufferLike, byteOffset: number, length: number): A
    }): ColumnReader =>
    (vector, count) => {
      const items = viewOf(native, vector, view, count)
      const validity = validityOf(native, vector, count)
      if (validity === null) return items
      const out = new Array<unknown>(count)
      for (let i = 0; i < count; i++) out[i] = isValid(validity, i) ? items[i] : null
      return out
    }

  /** Values that are made of `per` elements of a typed array, from an index on. */
  const made =
    <A extends ArrayLike<unknown>>(
      view: {
        readonly BYTES_PER_ELEMENT: number
        new (buffer: ArrayBufferLike, byteOffset: number, length: number): A
      },
      per: number,
      make: (items: A, at: number) => unknown,
    ): ColumnReader =>
    (vector, count) => {
      const items = viewOf(native, vector, view, count * per)
      const validity = validityOf(native, vector, count)
      const out = new Array<unknown>(count)
      for (let i = 0; i < count; i++) out[i] = validity === null || isValid(validity, i) ? make(items, i * per) : null
      return out
    }

  const huge = (items: BigUint64Array, at: number, signed: boolean): bigint => {
    const value = (items[at + 1]! << 64n) | items[at]!
    return signed ? BigInt.asIntN(128, value) : value
  }

  /** Integers of 64 bits, by their halves: a BigInt is made only where the value needs one. */
  const int64 = (signed: boolean): ColumnReader => {
    const mode = modes.bigint
    if (mode === 'bigint') return signed ? plain(BigInt64Array) : plain(BigUint64Array)
    return (vector, count) => {
      const low = viewOf(native, vector, Uint32Array, count * 2)
      const high = signed ? new Int32Array(low.buffer, low.byteOffset, count * 2) : low
      const validity = validityOf(native, vector, count)
      const out = new Array<unknown>(count)
      for (let i = 0, at = 0; i < count; i++, at += 2) {
        if (validity !== null && !isValid(validity, i)) {
          out[i] = null
          continue
        }
        const top = high[at + 1]!
        if (top === 0) out[i] = low[at]!
        else if (top < SAFE_HIGH && (top > -SAFE_HIGH || (top === -SAFE_HIGH && low[at]! > 0))) {
          out[i] = top * TWO_32 + low[at]!
        } else out[i] = integerValue((BigInt(top) << 32n) | BigInt(low[at]!), mode)
      }
      return out
    }
  }

  /** Timestamps of 64 bits; those of which a double has all digits are made without a BigInt. */
  const timestamp = (perSecond: number, zoned: boolean): ColumnReader => {
    const mode = modes.timestamps
    const perMs = perSecond / 1000
    const nanosecondsPer = 1_000_000 / perMs
    return (vector, count) => {
      const low = viewOf(native, vector, Uint32Array, count * 2)
      const high = new Int32Array(low.buffer, low.byteOffset, count * 2)
      const validity = validityOf(native, vector, count)
      const out = new Array<unknown>(count)
      for (let i = 0, at = 0; i < count; i++, at += 2) {
        if (validity !== null && !isValid(validity, i)) {
          out[i] = null
          continue
        }
        const top = high[at + 1]!
        const units = top * TWO_32 + low[at]!
        if (top < SAFE_HIGH && top >= -SAFE_HIGH) {
          const ms = Math.floor(units / perMs)
          const rest = units - ms * perMs
          out[i] =
            rest === 0 && mode !== 'string' && ms <= 8.64e15 && ms >= -8.64e15
              ? new Date(ms)
              : timestampValue(ms, rest * nanosecondsPer, zoned, mode)
        } else out[i] = timestampOfUnits((BigInt(top) << 32n) | BigInt(low[at]!), perMs, zoned, mode)
      }
      return out
    }
  }

  /** Seconds reach beyond what milliseconds in 64 bits do, but not beyond BigInt. */
  const timestampOfSeconds = made(BigInt64Array, 1, (items, at) => {
    const seconds = items[at]!
    const infinite = seconds === 2n ** 63n - 1n || seconds === -(2n ** 63n - 1n)
    return timestampOfUnits(infinite ? seconds : seconds * 1000n, 1, false, modes.timestamps)
  })

  const decimal = (width: number, scale: number): ColumnReader => {
    const mode = modes.decimals
    if (width <= 4) return made(Int16Array, 1, (items, at) => decimalValue(items[at]!, scale, mode))
    if (width <= 9) return made(Int32Array, 1, (items, at) => decimalValue(items[at]!, scale, mode))
    if (width <= 18) return made(BigInt64Array, 1, (items, at) => decimalValue(items[at]!, scale, mode))
    return made(BigUint64Array, 2, (items, at) => decimalValue(huge(items, at, true), scale, mode))
  }

  const struct = (names: readonly string[], types: readonly DuckDBType[]): ColumnReader => {
    const readers = types.map(child => columnReader(duckdb, child, modes))
    const rows = columnRows(names)
    return (vector, count) => {
      const fields = readers.map((read, i) => read(native.struct_vector_get_child(vector, i), count))
      const values: unknown[] = rows(count, fields)
      const validity = validityOf(native, vector, count)
      if (validity !== null) for (let i = 0; i < count; i++) if (!isValid(validity, i)) values[i] = null
      return values
    }
  }

  /** Calls `make` with where the items of each list stand. */
  const lists =
    <I>(items: (child: NativeVector, count: number) => I, make: (items: I, start: number, length: number) => unknown) =>
    (vector: NativeVector, count: number): unknown[] => {
      // Offsets and lengths have 64 bits, of which a list in memory never needs the upper half.
      const places = viewOf(native, vector, Uint32Array, count * 4)
      const validity = validityOf(native, vector, count)
      const all = items(native.list_vector_get_child(vector), native.list_vector_get_size(vector))
      const out = new Array<unknown>(count)
      for (let i = 0, at = 0; i < count; i++, at += 4) {
        out[i] = validity === null || isValid(validity, i) ? make(all, places[at]!, places[at + 2]!) : null
      }
      return out
    }

  switch (type.typeId) {
    case T.BOOLEAN:
      return made(Uint8Array, 1, (items, at) => items[at] !== 0)
    case T.TINYINT:
      return plain(Int8Array)
    case T.SMALLINT:
      return plain(Int16Array)
    case T.INTEGER:
      return plain(Int32Array)
    case T.UTINYINT:
      return plain(Uint8Array)
    case T.USMALLINT:
      return plain(Uint16Array)
    case T.UINTEGER:
      return plain(Uint32Array)
    case T.BIGINT:
      return int64(true)
    case T.UBIGINT:
      return int64(false)
    case T.HUGEINT:
      return made(BigUint64Array, 2, (items, at) => integerValue(huge(items, at, true), modes.bigint))
    case T.UHUGEINT:
      return made(BigUint64Array, 2, (items, at) => integerValue(huge(items, at, false), modes.bigint))
    case T.FLOAT:
      return plain(Float32Array)
    case T.DOUBLE:
      return plain(Float64Array)
    case T.DECIMAL:
      return decimal(type.width, type.scale)
    case T.DATE:
      return made(Int32Array, 1, (items, at) => dateValue(items[at]!))
    case T.TIME:
      return made(BigInt64Array, 1, (items, at) => timeText(items[at]! * 1000n))
    case T.TIME_NS:
      return made(BigInt64Array, 1, (items, at) => timeText(items[at]!))
    case T.TIMESTAMP_S:
      return timestampOfSeconds
    case T.TIMESTAMP_MS:
      return timestamp(1000, false)
    case T.TIMESTAMP:
      return timestamp(1_000_000, false)
    case T.TIMESTAMP_NS:
      return timestamp(1_000_000_000, false)
    case T.TIMESTAMP_TZ:
      return timestamp(1_000_000, true)
    case T.INTERVAL:
      return made(Int32Array, 4, (items, at) =>
        intervalText(items[at]!, items[at + 1]!, (BigInt(items[at + 3]!) << 32n) | BigInt(items[at + 2]! >>> 0)),
      )
    case T.UUID: {
      const bytes = new Uint8Array(16)
      // Held as an integer of 128 bits, low byte first, of which the highest bit is turned so that it sorts as text does.
      return made(Uint8Array, 16, (items, at) => {
        for (let i = 0; i < 16; i++) bytes[i] = items[at + 15 - i]!
        bytes[0] = bytes[0]! ^ 0x80
        return uuidText(bytes)
      })
    }
    case T.VARCHAR: {
      const column = new TextColumn(native)
      return (vector, count) => column.read(vector, count)
    }
    case T.BLOB:
    case T.GEOMETRY:
      return (vector, count) => readBytes(native, vector, count)
    case T.ENUM: {
      const { values } = type
      const indexes = values.length <= 256 ? Uint8Array : values.length <= 65_536 ? Uint16Array : Uint32Array
      return made<Uint8Array | Uint16Array | Uint32Array>(indexes, 1, (items, at) => values[items[at]!])
    }
    case T.STRUCT:
      return struct(type.entryNames, type.entryTypes)
    case T.LIST: {
      const read = columnReader(duckdb, type.valueType, modes)
      return lists(read, part)
    }
    case T.ARRAY: {
      const { length } = type
      const read = columnReader(duckdb, type.valueType, modes)
      return (vector, count) => {
        const items = read(native.array_vector_get_child(vector), count * length)
        const validity = validityOf(native, vector, count)
        return Array.from({ length: count }, (_, i) =>
          validity === null || isValid(validity, i) ? part(items, i * length, length) : null,
        )
      }
    }
    case T.MAP: {
      const readKeys = columnReader(duckdb, type.keyType, modes)
      const readValues = columnReader(duckdb, type.valueType, modes)
      const keyed = type.keyType.typeId === T.VARCHAR
      return lists(
        (entries, count) => ({
          keys: readKeys(native.struct_vector_get_child(entries, 0), count),
          values: readValues(native.struct_vector_get_child(entries, 1), count),
        }),
        ({ keys, values }, start, length) =>
          mapValue(part(keys, start, length), part(values, start, length), keyed, modes.maps),
      )
    }
    case T.SQLNULL:
      return (_, count) => new Array(count).fill(null)
    default:
      // What is rare, or has its type in each value, is read by DuckDB's own package.
      return (vector, count) => {
        const values = duckdb.api.DuckDBVector.create(vector as never, count, type).toArray()
        return values.map(value => otherValue(duckdb, value, modes))
      }
  }
}

function part(items: ArrayLike<unknown>, start: number, length: number): unknown[] {
  if (length === 0) return []
  if (Array.isArray(items)) return items.slice(start, start + length)
  const out = new Array<unknown>(length)
  for (let i = 0; i < length; i++) out[i] = items[start + i]
  return out
}
