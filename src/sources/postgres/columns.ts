/** The columns of a result: their names, their types, and what makes rows of them. */
import type { ColumnSchema, Schema } from '../../core/schema.ts'
import { type ValueModes, valueModes } from '../../core/value-options.ts'
import type { TypeCatalog } from './catalog.ts'
import type { DriverClient } from './driver.ts'
import type { PostgresReadOptions } from './options.ts'
import { RowMaker } from './rows.ts'
import { type FieldDescription, TypeDecoding, type UserParsers } from './types.ts'
import { userParsersOf } from './user-parsers.ts'

/** What the description of a result comes to. It may serve any number of readers. */
export interface DecodedColumns {
  readonly names: readonly string[]
  readonly schema: Schema
  readonly maker: RowMaker
  /** What it was made of. */
  readonly fields: readonly FieldDescription[]
  readonly modes: ValueModes
  readonly parsers: readonly ReturnType<UserParsers>[]
}

export interface DecodingContext {
  readonly catalog: TypeCatalog
  readonly client: DriverClient
  readonly options: PostgresReadOptions
  /** What all statements of these columns have in common. */
  readonly shape: string
  /** Whether the catalog knows of the columns more than their description says. */
  readonly isPostgres: boolean
}

/** The columns that a server describes. Small queries come by the thousand, so what was made for one serves the next. */
export function decodeColumns(fields: readonly FieldDescription[], context: DecodingContext): DecodedColumns {
  const { catalog, client, options, shape, isPostgres } = context
  if (isPostgres) catalog.check(shape, fields)
  const modes = valueModes(options)
  const userParsers = userParsersOf(client, options.typeParsers)
  const decoding = new TypeDecoding(modes, catalog.types, userParsers)
  const parsers = fields.map(({ typeOid }) => userParsers(typeOid, decoding.nameOf(typeOid)))
  const known = isPostgres ? catalog.decodedOf(shape) : undefined
  if (known !== undefined && isSame(known, fields, modes, parsers)) return known
  const names = uniqueNames(fields.map(({ name }) => name))
  const columns = fields.map((field, i) => ({ name: names[i]!, ...decoding.column(field) }))
  const schema = {
    columns: columns.map(({ name, type }, i): ColumnSchema => {
      const { native: own, ...described } = type
      const origin = isPostgres ? catalog.originOf(shape, fields[i]!) : undefined
      const native = isPostgres ? ((own && origin?.domain) ?? own) : undefined
      const nullable = origin?.required !== true
      return { name, ...described, nullable, source: 'file', ...(native === undefined ? {} : { native }) }
    }),
  }
  const decoded = { names, schema, maker: new RowMaker(columns), fields, modes, parsers }
  if (isPostgres && options.typeParsers === undefined) catalog.keepDecoded(shape, decoded)
  return decoded
}

function isSame(
  known: DecodedColumns,
  fields: readonly FieldDescription[],
  modes: ValueModes,
  parsers: readonly ReturnType<UserParsers>[],
): boolean {
  const { modes: own } = known
  if (own.bigint !== modes.bigint || own.decimals !== modes.decimals || own.timestamps !== modes.timestamps)
    return false
  return (
    known.fields.length === fields.length &&
    fields.every((field, i) => isSameField(field, known.fields[i]!) && parsers[i] === known.parsers[i])
  )
}

const isSameField = (a: FieldDescription, b: FieldDescription): boolean =>
  a.name === b.name &&
  a.typeOid === b.typeOid &&
  a.typeModifier === b.typeModifier &&
  a.tableOid === b.tableOid &&
  a.columnNumber === b.columnNumber

/** A name that occurs again gets a number, as no value is to hide another. */
function uniqueNames(names: readonly string[]): string[] {
  const taken = new Set(names)
  const seen = new Set<string>()
  return names.map(name => {
    let unique = name
    for (let n = 2; seen.has(unique); n++) if (!taken.has(`${name}_${n}`)) unique = `${name}_${n}`
    seen.add(unique)
    taken.add(unique)
    return unique
  })
}
