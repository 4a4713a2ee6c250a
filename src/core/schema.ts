/** What is known of the columns of a reader, and the same in the words of JSON Schema and Table Schema. */
import type { ColumnType } from './values.ts'

/** A type of a column, or of what is nested in one. */
export type SchemaType = ColumnType | 'binary' | 'null' | 'object' | 'array'

/** A type of a database, where it says more than our types and `format` do: its sizes, and the names of types of its own. */
export interface NativeType {
  /** Whose type it is. */
  readonly system: 'postgres'
  /** Its place and name in the catalog, not quoted: `pg_catalog` and `varchar`. */
  readonly schema: string
  /** Its name there. */
  readonly name: string
  /** As `pg_type.typtype`: b(ase), c(omposite), d(omain), e(num), r(ange), m(ultirange). */
  readonly kind: string
  /** Its size, in the database's own form (`pg_attribute.atttypmod`); -1: none. */
  readonly modifier: number
}

/** One column. */
export interface ColumnSchema {
  /** The name of the column. */
  readonly name: string
  /**
   * The type of its values: one of `ColumnType`, or of what rows and JSON hold beside them: `binary` (bytes), `object`,
   * `array`, `null` (no value was met), and `json` for values that have no one type in common.
   */
  readonly type: SchemaType
  /** Whether a value may be null; where nothing but the values tells, whether one has been so far. */
  readonly nullable: boolean
  /** Where it is from: the user's options, the file's own declaration (or nature: fields of CSV are text), or values. */
  readonly source: 'declared' | 'file' | 'inferred'
  /** Whether some of the rows looked at lack it altogether. */
  readonly optional?: boolean
  /** More about the type, where the file says more. */
  readonly format?: string
  /** The type that a database has for it, or had for what a file holds: a table that is made of it gets the same. */
  readonly native?: NativeType
  /** Of a column that turned out to need a wider type than its sample had shown: the type that all values had before. */
  readonly widenedFrom?: ColumnType
  /** And the number of the record, from 1, that has the first value of the wider type. */
  readonly widenedAt?: number
  /** What an `object` holds. */
  readonly fields?: readonly ColumnSchema[]
  /** What an `array` holds; none where all are empty. */
  readonly items?: Omit<ColumnSchema, 'name' | 'source'>
}

/** The columns of a reader, in order. */
export interface Schema {
  /** The columns, in order. */
  readonly columns: readonly ColumnSchema[]
}

type Described = Omit<ColumnSchema, 'name' | 'source'>
type JsonSchema = Record<string, unknown>

const DECIMAL_PATTERN = '^[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]+)?$'

const JSON_TYPES: Record<SchemaType, JsonSchema> = {
  integer: { type: 'integer' },
  bigint: { type: 'integer' },
  number: { type: 'number' },
  decimal: { type: 'string', pattern: DECIMAL_PATTERN },
  boolean: { type: 'boolean' },
  date: { type: 'string', format: 'date' },
  timestamp: { type: 'string', format: 'date-time' },
  json: {},
  text: { type: 'string' },
  binary: { type: 'string', contentEncoding: 'base64' },
  null: { type: 'null' },
  object: { type: 'object' },
  array: { type: 'array' },
}

/**
 * The JSON Schema of a row, as the writers of this library put it into JSON: dates and decimals are texts there.
 *
 * @see https://json-schema.org/draft/2020-12/schema
 */
export function toJsonSchema(schema: Schema): JsonSchema {
  return { $schema: 'https://json-schema.org/draft/2020-12/schema', ...objectSchema(schema.columns) }
}

function objectSchema(columns: readonly ColumnSchema[]): JsonSchema {
  const required = columns.filter(column => column.optional !== true).map(({ name }) => name)
  return {
    type: 'object',
    // Entries are defined, not assigned: a column may be named `__proto__`.
    properties: Object.fromEntries(columns.map(column => [column.name, valueSchema(column)])),
    ...(required.length > 0 ? { required } : {}),
  }
}

function valueSchema({ type, nullable, fields, items }: Described): JsonSchema {
  const schema =
    type === 'object' && fields !== undefined
      ? objectSchema(fields)
      : type === 'array' && items !== undefined
        ? { type: 'array', items: valueSchema(items) }
        : { ...JSON_TYPES[type] }
  // Without a type anything may be there, null as well.
  if (nullable && typeof schema.type === 'string' && schema.type !== 'null') schema.type = [schema.type, 'null']
  return schema
}

/** A field of a Table Schema. */
export interface TableSchemaField {
  /** The name of the column. */
  readonly name: string
  /** The type, by its name in the Table Schema specification: `string`, `integer`, `datetime`, … */
  readonly type: string
  /** The format of the type, where it has one. */
  readonly format?: string
  /** What holds of every value. */
  readonly constraints?: { readonly required: true }
}

/** A Table Schema. */
export interface TableSchema {
  /** The columns, in order. */
  readonly fields: readonly TableSchemaField[]
  /** Texts that stand for null. */
  readonly missingValues: readonly string[]
}

const TABLE_TYPES: Record<SchemaType, Pick<TableSchemaField, 'type' | 'format'>> = {
  integer: { type: 'integer' },
  bigint: { type: 'integer' },
  number: { type: 'number' },
  // The lexical form of a Table Schema number has all digits.
  decimal: { type: 'number' },
  boolean: { type: 'boolean' },
  date: { type: 'date' },
  // The default format has no fractions of a second.
  timestamp: { type: 'datetime', format: 'any' },
  json: { type: 'any' },
  text: { type: 'string' },
  binary: { type: 'string', format: 'binary' },
  null: { type: 'any' },
  object: { type: 'object' },
  array: { type: 'array' },
}

/**
 * The Table Schema of a CSV that holds the rows, as the writers of this library write it: an empty field is null.
 *
 * @see https://specs.frictionlessdata.io/table-schema/
 */
export function toTableSchema(schema: Schema): TableSchema {
  return {
    fields: schema.columns.map(({ name, type, nullable, optional }) => ({
      name,
      ...TABLE_TYPES[type],
      ...(nullable || optional === true ? {} : { constraints: { required: true as const } }),
    })),
    missingValues: [''],
  }
}
