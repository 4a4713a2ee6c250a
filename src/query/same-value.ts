/**
 * Values of two columns as SQL that is equal where the values are, also where the types are not: `1` and `1.0`, a text of a
 * CSV and the number, the date or the instant that it is the text of. Nothing is rounded on the way.
 */
import type { DuckDBType, LoadedDuckDb } from '../duckdb/binding.ts'

type Kind = 'integer' | 'double' | 'decimal' | 'boolean' | 'text' | 'date' | 'timestamp' | 'null' | 'binary' | 'nested'

const NUMBERS: readonly Kind[] = ['integer', 'double', 'decimal']

/** Both sides, to be compared by `IS NOT DISTINCT FROM`. */
export function comparable(
  duckdb: LoadedDuckDb,
  left: { readonly sql: string; readonly type: DuckDBType },
  right: { readonly sql: string; readonly type: DuckDBType },
): readonly [string, string] {
  if (String(left.type) === String(right.type)) return [left.sql, right.sql]
  const kinds = [kindOf(duckdb, left.type), kindOf(duckdb, right.type)] as const
  return [canonical(left.sql, left.type, kinds[0], kinds[1]), canonical(right.sql, right.type, kinds[1], kinds[0])]
}

/** A value as a text that values of the other kind have as well, if they are the same. */
function canonical(sql: string, type: DuckDBType, kind: Kind, other: Kind): string {
  switch (kind) {
    case 'null':
      return `(${sql})::VARCHAR`
    case 'integer':
      return `(${sql})::VARCHAR`
    case 'decimal':
      return trimmedZeros(`(${sql})::VARCHAR`)
    case 'double':
      return doubleText(`(${sql})::DOUBLE`, `(${sql})::VARCHAR`)
    case 'boolean':
      // No number is a truth value.
      return other === 'text' ? `(${sql})::VARCHAR` : `'boolean ' || (${sql})::VARCHAR`
    case 'date':
      return other === 'timestamp' ? instantText(`(${sql})::TIMESTAMP`) : `(${sql})::VARCHAR`
    case 'timestamp':
      // An instant is shown as a time in UTC, which is the zone of the connection.
      return instantText(String(type) === 'TIMESTAMP WITH TIME ZONE' ? `(${sql})::TIMESTAMP` : sql)
    case 'binary':
      return `'binary ' || hex(${sql})`
    case 'nested':
      return `to_json(${sql})::VARCHAR`
    default:
      return textAs(`(${sql})::VARCHAR`, other)
  }
}

/** A text as the kind of value that the other side has, where it is one. */
function textAs(text: string, other: Kind): string {
  if (NUMBERS.includes(other)) {
    const plain = `regexp_full_match(${text}, '-?(0|[1-9][0-9]*)([.][0-9]+)?')`
    const exponent = `regexp_full_match(${text}, '-?(0|[1-9][0-9]*)([.][0-9]+)?[eE][+-]?[0-9]+')`
    const double = `TRY_CAST(${text} AS DOUBLE)`
    const number = `CASE WHEN ${plain} THEN ${trimmedZeros(text)} WHEN ${exponent} THEN ${doubleText(double, text)} ELSE ${text} END`
    return number
  }
  if (other === 'boolean')
    return `CASE WHEN ${text} IN ('TRUE', 'True', 'FALSE', 'False') THEN lower(${text}) ELSE ${text} END`
  if (other === 'timestamp') {
    const isInstant = `regexp_matches(${text}, '^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}')`
    return `CASE WHEN ${isInstant} THEN coalesce(${instantText(`TRY_CAST(${text} AS TIMESTAMP_NS)`)}, ${text}) ELSE ${text} END`
  }
  if (other === 'nested') return `CASE WHEN json_valid(${text}) THEN json(${text})::VARCHAR ELSE ${text} END`
  return text
}

/** `12.50` → `12.5`, `12.00` → `12`, `-0` → `0`. */
function trimmedZeros(text: string): string {
  const trimmed = `CASE WHEN contains(${text}, '.') THEN rtrim(rtrim(${text}, '0'), '.') ELSE ${text} END`
  return `CASE ${trimmed} WHEN '-0' THEN '0' ELSE ${trimmed} END`
}

/** All digits of whole numbers, and otherwise the shortest text that is read as the same number, without an exponent. */
function doubleText(double: string, otherwise: string): string {
  const whole = `isfinite(${double}) AND ${double} = trunc(${double}) AND abs(${double}) < 1e37`
  const digits = `TRY_CAST(${double}::VARCHAR AS DECIMAL(38, 30))`
  const small = `abs(${double}) < 1e-3 AND ${digits}::DOUBLE = ${double}`
  return `CASE WHEN ${whole} THEN ${double}::HUGEINT::VARCHAR WHEN ${small} THEN ${trimmedZeros(`${digits}::VARCHAR`)} ELSE coalesce(${double}::VARCHAR, ${otherwise}) END`
}

/** Without the zeros at the end of the fraction, of which there are as many as the type has room for. */
const instantText = (sql: string): string => trimmedFraction(`(${sql})::VARCHAR`)
const trimmedFraction = (text: string): string => `regexp_replace(${text}, '([.][0-9]*?)0+$', '\\1')`

function kindOf({ api }: LoadedDuckDb, type: DuckDBType): Kind {
  const T = api.DuckDBTypeId
  switch (type.typeId) {
    case T.TINYINT:
    case T.SMALLINT:
    case T.INTEGER:
    case T.BIGINT:
    case T.HUGEINT:
    case T.UTINYINT:
    case T.USMALLINT:
    case T.UINTEGER:
    case T.UBIGINT:
    case T.UHUGEINT:
    case T.BIGNUM:
      return 'integer'
    case T.FLOAT:
    case T.DOUBLE:
      return 'double'
    case T.DECIMAL:
      return 'decimal'
    case T.BOOLEAN:
      return 'boolean'
    case T.DATE:
      return 'date'
    case T.TIMESTAMP:
    case T.TIMESTAMP_S:
    case T.TIMESTAMP_MS:
    case T.TIMESTAMP_NS:
    case T.TIMESTAMP_TZ:
      return 'timestamp'
    case T.SQLNULL:
      return 'null'
    case T.BLOB:
      return 'binary'
    case T.STRUCT:
    case T.LIST:
    case T.ARRAY:
    case T.MAP:
    case T.UNION:
      return 'nested'
    default:
      return 'text'
  }
}
