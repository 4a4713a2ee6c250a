/** Values as DuckDB's own package gives them → ours: of types that are rare, and of VARIANT, where each has its own. */
import type { DuckDBValue } from '@duckdb/node-api'
import {
  dateValue,
  decimalValue,
  integerValue,
  intervalText,
  mapValue,
  timestampOfUnits,
  timeText,
} from '../core/stored-values.ts'
import type { ValueModes } from '../core/value-options.ts'
import type { LoadedDuckDb } from './binding.ts'

export function otherValue(duckdb: LoadedDuckDb, value: DuckDBValue, modes: ValueModes): unknown {
  const { api } = duckdb
  const convert = (inner: DuckDBValue) => otherValue(duckdb, inner, modes)
  if (value === null || value === undefined) return null
  if (typeof value === 'bigint') return integerValue(value, modes.bigint)
  if (typeof value !== 'object') return value
  if (value instanceof api.DuckDBVariantValue) return convert(value.value)
  if (value instanceof api.DuckDBListValue || value instanceof api.DuckDBArrayValue) return value.items.map(convert)
  if (value instanceof api.DuckDBStructValue) {
    // Entries are defined, not assigned: one may be named `__proto__`.
    return Object.fromEntries(Object.entries(value.entries).map(([name, inner]) => [name, convert(inner)]))
  }
  if (value instanceof api.DuckDBMapValue) {
    const keys = value.entries.map(({ key }) => convert(key))
    const values = value.entries.map(entry => convert(entry.value))
    return mapValue(
      keys,
      values,
      keys.every(key => typeof key === 'string'),
      modes.maps,
    )
  }
  if (value instanceof api.DuckDBUnionValue) return { tag: value.tag, value: convert(value.value) }
  if (value instanceof api.DuckDBDecimalValue) return decimalValue(value.value, value.scale, modes.decimals)
  if (value instanceof api.DuckDBDateValue) return dateValue(value.days)
  if (value instanceof api.DuckDBTimeValue) return timeText(value.micros * 1000n)
  if (value instanceof api.DuckDBTimeNSValue) return timeText(value.nanos)
  if (value instanceof api.DuckDBTimeTZValue) return timeText(value.micros * 1000n) + offsetText(value.offset)
  if (value instanceof api.DuckDBTimestampTZValue) return timestampOfUnits(value.micros, 1000, true, modes.timestamps)
  if (value instanceof api.DuckDBTimestampValue) return timestampOfUnits(value.micros, 1000, false, modes.timestamps)
  if (value instanceof api.DuckDBTimestampNanosecondsValue) {
    return timestampOfUnits(value.nanos, 1_000_000, false, modes.timestamps)
  }
  if (value instanceof api.DuckDBTimestampMillisecondsValue) {
    return timestampOfUnits(value.millis, 1, false, modes.timestamps)
  }
  if (value instanceof api.DuckDBTimestampSecondsValue) {
    return timestampOfUnits(value.seconds * 1000n, 1, false, modes.timestamps)
  }
  if (value instanceof api.DuckDBIntervalValue) return intervalText(value.months, value.days, value.micros)
  if (value instanceof api.DuckDBBlobValue || value instanceof api.DuckDBGeometryValue) {
    return new Uint8Array(value.bytes)
  }
  return String(value)
}

/** `+01:30`, with seconds where there are any. */
function offsetText(seconds: number): string {
  const two = (n: number) => String(n).padStart(2, '0')
  const all = Math.abs(seconds)
  const rest = all % 60 === 0 ? '' : `:${two(all % 60)}`
  return `${seconds < 0 ? '-' : '+'}${two(Math.floor(all / 3600))}:${two(Math.floor(all / 60) % 60)}${rest}`
}
