/** Types of DuckDB → what our schema says of a column. */
import type { DuckDBType } from '@duckdb/node-api'
import type { ColumnSchema, SchemaType } from '../core/schema.ts'
import type { LoadedDuckDb } from './binding.ts'

type Described = Omit<ColumnSchema, 'name' | 'source' | 'nullable'>

/** A column; its `format` is DuckDB's name of the type, in full: `DECIMAL(10,2)`, `TIMESTAMP_NS`. */
export function columnSchema(duckdb: LoadedDuckDb, name: string, type: DuckDBType, nullable = true): ColumnSchema {
  return { name, ...described(duckdb, type), nullable, source: 'file' }
}

function described(duckdb: LoadedDuckDb, type: DuckDBType): Described {
  const T = duckdb.api.DuckDBTypeId
  const format = type.alias === 'JSON' ? 'JSON' : String(type)
  switch (type.typeId) {
    case T.STRUCT:
      return {
        type: 'object',
        fields: type.entryNames.map((name, i) => columnSchema(duckdb, name, type.entryTypes[i]!)),
      }
    case T.LIST:
    case T.ARRAY:
      return { type: 'array', items: { ...described(duckdb, type.valueType), nullable: true } }
    case T.MAP:
      return { type: type.keyType.typeId === T.VARCHAR ? 'object' : 'array', format }
    case T.ENUM:
      return { type: 'text', format: 'ENUM' }
    default:
      return { type: scalarType(duckdb, type), format }
  }
}

function scalarType({ api }: LoadedDuckDb, type: DuckDBType): SchemaType {
  const T = api.DuckDBTypeId
  switch (type.typeId) {
    case T.BOOLEAN:
      return 'boolean'
    case T.TINYINT:
    case T.SMALLINT:
    case T.INTEGER:
    case T.UTINYINT:
    case T.USMALLINT:
    case T.UINTEGER:
      return 'integer'
    case T.BIGINT:
    case T.UBIGINT:
    case T.HUGEINT:
    case T.UHUGEINT:
    case T.BIGNUM:
      return 'bigint'
    case T.FLOAT:
    case T.DOUBLE:
      return 'number'
    case T.DECIMAL:
      return 'decimal'
    case T.DATE:
      return 'date'
    case T.TIMESTAMP:
    case T.TIMESTAMP_S:
    case T.TIMESTAMP_MS:
    case T.TIMESTAMP_NS:
    case T.TIMESTAMP_TZ:
      return 'timestamp'
    case T.BLOB:
    case T.GEOMETRY:
      return 'binary'
    case T.SQLNULL:
      return 'null'
    case T.VARIANT:
      return 'json'
    case T.UNION:
      return 'object'
    default:
      return 'text'
  }
}
