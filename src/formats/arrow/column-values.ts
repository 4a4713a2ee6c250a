/** Columns of a record batch → arrays of JavaScript values, as every typed format of this library gives them. */
import type { Data, RecordBatch } from 'apache-arrow'
import { columnRows } from '../../core/column-rows.ts'
import {
  dateValue,
  decimalValue,
  integerValue,
  mapValue,
  timestampOfUnits,
  timeText,
} from '../../core/stored-values.ts'
import type { Row } from '../../core/types.ts'
import type { ValueModes } from '../../core/value-options.ts'
import type { ArrowPackage } from './peer.ts'

const DAY_MS = 86_400_000n
/** By `TimeUnit`: how many nanoseconds a second, a millisecond, … has. */
const NANOSECONDS = [1_000_000_000n, 1_000_000n, 1000n, 1n]

/** The rows of a record batch. */
export function rowsOf(arrow: ArrowPackage, batch: RecordBatch, modes: ValueModes): Row[] {
  const names = batch.schema.fields.map(({ name }) => name)
  const columns = batch.data.children.map(data => valuesOf(arrow, data, modes))
  return columnRows(names)(batch.numRows, columns)
}

/** The values of a column, null where there is none. */
export function valuesOf(arrow: ArrowPackage, data: Data, modes: ValueModes): unknown[] {
  const { length } = data
  const made = makerOf(arrow, data, modes)
  const out = new Array<unknown>(length)
  if (data.nullCount === 0) for (let i = 0; i < length; i++) out[i] = made(i)
  else for (let i = 0; i < length; i++) out[i] = data.getValid(i) ? made(i) : null
  return out
}

type Maker = (index: number) => unknown

function makerOf(arrow: ArrowPackage, data: Data, modes: ValueModes): Maker {
  const { DataType } = arrow
  const { type, values } = data as Data & { values: ArrayLike<never> }
  if (DataType.isNull(type)) return () => null
  if (DataType.isInt(type)) {
    const integers = values as unknown as ArrayLike<number | bigint>
    return type.bitWidth === 64 ? i => integerValue(BigInt(integers[i]!), modes.bigint) : i => integers[i]
  }
  if (DataType.isFloat(type) && type.precision > 0) return i => values[i]
  if (DataType.isDecimal(type)) return decimals(values as unknown as Uint32Array, type.bitWidth, type.scale, modes)
  if (DataType.isDate(type)) {
    if (type.unit === arrow.DateUnit.DAY) return i => dateValue(Number(values[i]))
    return i => dateValue(Number(BigInt(values[i]!) / DAY_MS))
  }
  if (DataType.isTime(type)) {
    const unit = NANOSECONDS[type.unit]!
    return i => timeText(BigInt(values[i]!) * unit)
  }
  if (DataType.isTimestamp(type)) return timestamps(values as unknown as BigInt64Array, type, modes)
  if (DataType.isDictionary(type)) {
    const { dictionary } = data
    const entries = (dictionary?.data ?? []).flatMap(part => valuesOf(arrow, part, modes))
    return i => entries[Number(values[i])] ?? null
  }
  return nestedMaker(arrow, data, modes)
}

function nestedMaker(arrow: ArrowPackage, data: Data, modes: ValueModes): Maker {
  const { DataType } = arrow
  const { type, valueOffsets, children } = data
  const ends = valueOffsets as unknown as ArrayLike<number | bigint>
  if (DataType.isStruct(type)) {
    const names = type.children.map(({ name }) => name)
    const rows = columnRows(names)(
      data.length,
      children.map(child => valuesOf(arrow, child, modes)),
    )
    return i => rows[i]
  }
  if (DataType.isMap(type)) {
    const [keys = [], values = []] = children[0]!.children.map(child => valuesOf(arrow, child, modes))
    const keyed = DataType.isUtf8(children[0]!.children[0]!.type)
    return i => {
      const [start, end] = [Number(ends[i]), Number(ends[i + 1])]
      return mapValue(keys.slice(start, end), values.slice(start, end), keyed, modes.maps)
    }
  }
  if (DataType.isList(type) || DataType.isLargeList(type)) {
    const items = valuesOf(arrow, children[0]!, modes)
    return i => items.slice(Number(ends[i]), Number(ends[i + 1]))
  }
  if (DataType.isFixedSizeList(type)) {
    const items = valuesOf(arrow, children[0]!, modes)
    return i => items.slice(i * type.listSize, (i + 1) * type.listSize)
  }
  const vector = arrow.makeVector(data)
  if (DataType.isBinary(type) || DataType.isLargeBinary(type) || DataType.isFixedSizeBinary(type)) {
    return i => Uint8Array.from(vector.get(i) as Uint8Array)
  }
  return i => vector.get(i)
}

function decimals(words: Uint32Array, bits: number, scale: number, modes: ValueModes): Maker {
  const count = bits / 32
  return i => {
    let unscaled = 0n
    for (let k = count - 1; k >= 0; k--) unscaled = (unscaled << 32n) | BigInt(words[i * count + k]!)
    return decimalValue(BigInt.asIntN(bits, unscaled), scale, modes.decimals)
  }
}

function timestamps(
  units: BigInt64Array,
  { unit, timezone }: { readonly unit: number; readonly timezone?: string | null | undefined },
  modes: ValueModes,
): Maker {
  const zoned = timezone !== null && timezone !== undefined && timezone !== ''
  // Seconds become milliseconds: a finer unit has a whole number in each millisecond.
  if (unit === 0) return i => timestampOfUnits(units[i]! * 1000n, 1, zoned, modes.timestamps)
  const perMillisecond = Number(1_000_000n / NANOSECONDS[unit]!)
  return i => timestampOfUnits(units[i]!, perMillisecond, zoned, modes.timestamps)
}
