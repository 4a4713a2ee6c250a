/** What a Parquet file keeps of the types of a database; see `core/kept-types.ts`. */
import { type KeptType, textOfKept } from '../../core/kept-types.ts'
import type { ColumnSchema } from '../../core/schema.ts'
import { sqlType, type WriteType } from './write-types.ts'

/** The metadata for columns, those that a database has described by name; undefined where there is nothing to keep. */
export function keptTypes(
  names: readonly string[],
  types: readonly WriteType[],
  described: ReadonlyMap<string, ColumnSchema>,
): string | undefined {
  const kept = names.flatMap((name, i): KeptType[] => {
    const { native, nullable } = described.get(name) ?? {}
    return native === undefined ? [] : [{ name, stored: storedName(types[i]!), nullable: nullable !== false, native }]
  })
  return textOfKept(kept)
}

/** What DuckDB calls a type when it reads the file. */
function storedName(type: WriteType): string {
  switch (type.kind) {
    case 'timestamp':
      return type.zoned ? 'TIMESTAMP WITH TIME ZONE' : 'TIMESTAMP'
    case 'list':
      return `${storedName(type.items)}[]`
    case 'struct':
      return 'STRUCT'
    default:
      return type.kind === 'json' ? 'VARCHAR' : sqlType(type)
  }
}
