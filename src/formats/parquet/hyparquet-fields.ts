/** What hyparquet gives of a column → our values and schema, as DuckDB's reader has them. */
import type { ParquetParsers, SchemaElement, SchemaTree } from 'hyparquet'
import type { ColumnSchema, SchemaType } from '../../core/schema.ts'
import {
  dateValue,
  decimalValue,
  integerValue,
  intervalText,
  mapValue,
  timestampOfUnits,
  timeText,
  uuidText,
} from '../../core/stored-values.ts'
import type { ValueModes } from '../../core/value-options.ts'

/** A column, or what is nested in one. */
export interface StoredField {
  readonly name: string
  readonly schema: ColumnSchema
  /** Its value out of what hyparquet gives. */
  readonly convert: (value: unknown) => unknown
  /** Set where its values cannot be had. */
  readonly unreadable?: true
}

/** Types that hyparquet makes numbers of which lose digits, or that it does not read: it is not told of them. */
const HIDDEN = new Set<string | undefined>(['DECIMAL', 'INTERVAL', 'BSON', 'MAP', 'MAP_KEY_VALUE'])

/** The schema that hyparquet is given, so that it leaves values as they are stored. */
export function rawElements(elements: readonly SchemaElement[]): SchemaElement[] {
  return elements.map(element => {
    const { converted_type: type, logical_type: logical, ...rest } = element
    if (type === 'ENUM' || logical?.type === 'ENUM') return { ...rest, converted_type: 'UTF8' }
    if (logical?.type === 'LIST') return { ...rest, converted_type: 'LIST' }
    if (HIDDEN.has(type) || logical?.type === 'DECIMAL' || logical?.type === 'MAP') return rest
    // A type that asks for no conversion, of what else would be converted for its storage.
    if (element.type === 'INT96') return { ...rest, converted_type: 'INT_8' }
    return element
  })
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** What hyparquet makes values by, so that they lose nothing. */
export function parsersOf({ timestamps }: ValueModes): ParquetParsers {
  const instant = (perMs: number) => (value: bigint | undefined | null) =>
    value === undefined || value === null ? value : timestampOfUnits(BigInt(value), perMs, true, timestamps)
  const textOf = (bytes: Uint8Array | undefined) => bytes && utf8.decode(bytes)
  return {
    timestampFromMilliseconds: instant(1),
    timestampFromMicroseconds: instant(1000),
    timestampFromNanoseconds: instant(1_000_000),
    dateFromDays: days => (days === undefined || days === null ? days : dateValue(days)),
    stringFromBytes: textOf,
    jsonFromBytes: textOf,
    geometryFromBytes: bytes => bytes,
    geographyFromBytes: bytes => bytes,
    uuidFromBytes: bytes => bytes && uuidText(bytes),
  }
}

const JULIAN_DAY_OF_1970 = 2_440_588n

export function fieldOf(tree: SchemaTree, modes: ValueModes): StoredField {
  const { element } = tree
  const { name } = element
  const nullable = element.repetition_type !== 'REQUIRED'
  const made = (type: SchemaType, convert: StoredField['convert'], more: Partial<ColumnSchema> = {}): StoredField => ({
    name,
    schema: { name, type, nullable, source: 'file', ...more },
    convert: value => (value === null || value === undefined ? null : convert(value)),
  })
  const listOf = (item: StoredField): StoredField => {
    const { name: _, source: __, ...items } = item.schema
    return made('array', value => Array.from(value as unknown[], item.convert), { items: { ...items, nullable: true } })
  }
  if (element.repetition_type === 'REPEATED') {
    const { repetition_type: _, ...rest } = element
    const list = listOf(fieldOf({ ...tree, element: { ...rest, repetition_type: 'REQUIRED' } }, modes))
    // Without a list around it there is no null to tell from no items.
    return { ...list, convert: value => list.convert(value ?? []) }
  }
  if (tree.children.length === 0) return leaf(element, modes, made)
  const kind = element.converted_type ?? element.logical_type?.type
  // hyparquet rounds decimals in there and drops fields that are shredded, so it is not asked for any.
  if (element.logical_type?.type === 'VARIANT')
    return { ...made('json', () => null, { format: 'VARIANT' }), unreadable: true }
  if (kind === 'LIST' && tree.children.length === 1) {
    const [repeated] = tree.children
    // Between the list and its items stands a group of one, but in files of old writers.
    const inner = repeated!.children.length === 1 ? repeated!.children[0]! : repeated!
    const { repetition_type: _, ...rest } = inner.element
    const required =
      inner === repeated ? { ...inner, element: { ...rest, repetition_type: 'REQUIRED' as const } } : inner
    return listOf(fieldOf(required, modes))
  }
  if ((kind === 'MAP' || kind === 'MAP_KEY_VALUE') && tree.children[0]?.children.length === 2) {
    const [entries] = tree.children
    const [key, value] = entries!.children.map(child => fieldOf(child, modes)) as [StoredField, StoredField]
    const keyed = key.schema.type === 'text' && key.schema.format === 'VARCHAR'
    const convert = (given: unknown) => {
      const list = ((given as Record<string, unknown>)[entries!.element.name] ?? []) as Record<string, unknown>[]
      const keys = list.map(entry => key.convert(entry[key.name]))
      const values = list.map(entry => value.convert(entry[value.name]))
      return mapValue(keys, values, keyed, modes.maps)
    }
    return made(keyed ? 'object' : 'array', convert, {
      format: `MAP(${key.schema.format ?? ''}, ${value.schema.format ?? ''})`,
    })
  }
  const fields = tree.children.map(child => fieldOf(child, modes))
  return made(
    'object',
    value =>
      Object.fromEntries(
        fields.map(field => [field.name, field.convert((value as Record<string, unknown>)[field.name])]),
      ),
    { fields: fields.map(field => ({ ...field.schema, nullable: true })) },
  )
}

/** Names of integers of less than 64 bits. */
const INTEGERS: Readonly<Record<string, string>> = {
  INT_8: 'TINYINT',
  INT_16: 'SMALLINT',
  UINT_8: 'UTINYINT',
  UINT_16: 'USMALLINT',
  UINT_32: 'UINTEGER',
}

type Made = (type: SchemaType, convert: StoredField['convert'], more?: Partial<ColumnSchema>) => StoredField

function leaf(element: SchemaElement, modes: ValueModes, made: Made): StoredField {
  const { type, converted_type: converted, logical_type: logical } = element
  const as = (schema: SchemaType, format: string, convert: (value: never) => unknown) =>
    made(schema, convert as StoredField['convert'], { format })
  if (converted === 'DECIMAL' || logical?.type === 'DECIMAL') {
    const scale = element.scale ?? (logical?.type === 'DECIMAL' ? logical.scale : 0) ?? 0
    const precision = element.precision ?? (logical?.type === 'DECIMAL' ? logical.precision : 38)
    return as('decimal', `DECIMAL(${precision},${scale})`, (value: number | bigint | Uint8Array) =>
      decimalValue(value instanceof Uint8Array ? signedInteger(value) : value, scale, modes.decimals),
    )
  }
  if (type === 'INT96') {
    // Finer than a microsecond DuckDB does not read these either.
    return as('timestamp', 'TIMESTAMP', (value: bigint) => {
      const days = (value >> 64n) - JULIAN_DAY_OF_1970
      const micros = days * 86_400_000_000n + BigInt.asIntN(64, value) / 1000n
      return timestampOfUnits(micros, 1000, false, modes.timestamps)
    })
  }
  if (converted === 'DATE' || logical?.type === 'DATE') return as('date', 'DATE', (value: Date | string) => value)
  if (logical?.type === 'TIMESTAMP' || converted === 'TIMESTAMP_MILLIS' || converted === 'TIMESTAMP_MICROS') {
    const unit = logical?.type === 'TIMESTAMP' ? logical.unit : converted === 'TIMESTAMP_MILLIS' ? 'MILLIS' : 'MICROS'
    const zoned = logical?.type === 'TIMESTAMP' ? logical.isAdjustedToUTC : true
    const format = zoned ? 'TIMESTAMP WITH TIME ZONE' : unit === 'NANOS' ? 'TIMESTAMP_NS' : 'TIMESTAMP'
    return as('timestamp', format, (value: Date | string) =>
      typeof value === 'string' && !zoned ? value.replace(/Z$/, '') : value,
    )
  }
  if (logical?.type === 'TIME' || converted === 'TIME_MILLIS' || converted === 'TIME_MICROS') {
    const unit = logical?.type === 'TIME' ? logical.unit : converted === 'TIME_MILLIS' ? 'MILLIS' : 'MICROS'
    const nanos = unit === 'MILLIS' ? 1_000_000n : unit === 'MICROS' ? 1000n : 1n
    return as('text', unit === 'NANOS' ? 'TIME_NS' : 'TIME', (value: number | bigint) =>
      timeText(BigInt(value) * nanos),
    )
  }
  if (converted === 'INTERVAL') {
    return as('text', 'INTERVAL', (bytes: Uint8Array) => {
      const view = new DataView(bytes.buffer, bytes.byteOffset, 12)
      return intervalText(view.getUint32(0, true), view.getUint32(4, true), BigInt(view.getUint32(8, true)) * 1000n)
    })
  }
  if (logical?.type === 'UUID') return as('text', 'UUID', (value: string) => value)
  if (logical?.type === 'FLOAT16') return as('number', 'FLOAT', (value: number) => value)
  if (converted === 'JSON' || logical?.type === 'JSON') return as('text', 'JSON', (value: string) => value)
  const isText = converted === 'UTF8' || converted === 'ENUM' || logical?.type === 'STRING'
  if (isText || logical?.type === 'ENUM') return as('text', 'VARCHAR', (value: string) => value)
  switch (type) {
    case 'BOOLEAN':
      return as('boolean', 'BOOLEAN', (value: boolean) => value)
    case 'INT64':
      return as('bigint', converted === 'UINT_64' ? 'UBIGINT' : 'BIGINT', (value: bigint) =>
        integerValue(BigInt(value), modes.bigint),
      )
    case 'INT32':
      return as('integer', INTEGERS[converted ?? ''] ?? 'INTEGER', (value: number) => value)
    case 'FLOAT':
      return as('number', 'FLOAT', (value: number) => value)
    case 'DOUBLE':
      return as('number', 'DOUBLE', (value: number) => value)
    default:
      return as('binary', 'BLOB', (bytes: Uint8Array) => bytes.slice())
  }
}

/** Two's complement, the highest byte first. */
function signedInteger(bytes: Uint8Array): bigint {
  let value = 0n
  for (const byte of bytes) value = (value << 8n) | BigInt(byte)
  return BigInt.asIntN(bytes.length * 8, value)
}
