/** The types of Postgres: their names, what their values become here, and how. */
import type { ColumnSchema, NativeType, SchemaType } from '../../core/schema.ts'
import type { ValueModes } from '../../core/value-options.ts'
import { parseArray } from './arrays.ts'
import {
  bigintDecoder,
  decodeBoolean,
  decodeBytes,
  decodeDate,
  decodeInteger,
  decodeInterval,
  decodeNumber,
  decodeVector,
  type FieldDecoder,
  jsonDecoder,
  type MessageBytes,
  timestampDecoder,
} from './values.ts'

/** A column of a result, as the server describes it. */
export interface FieldDescription {
  readonly name: string
  /** 0 where the column is not one of a table. */
  readonly tableOid: number
  readonly columnNumber: number
  readonly typeOid: number
  /** For numeric, varchar and others: their size, in the server's own form; −1: none. */
  readonly typeModifier: number
}

/** What the catalog says of a type that is not built in. */
export interface CatalogType {
  readonly oid: number
  readonly schema: string
  readonly name: string
  /** As `pg_type.typtype`: b(ase), c(omposite), d(omain), e(num), r(ange), m(ultirange). */
  readonly kind: string
  /** Of an array, the type of its elements; of a domain the type that it stands on; else 0. */
  readonly elementOid: number
  readonly delimiter: string
}

/** Name → OID, OID of its array, and what its values are. What is `text` here and not text there keeps the server's form. */
const BUILT_IN: Readonly<Record<string, readonly [oid: number, arrayOid: number, type: SchemaType]>> = {
  bool: [16, 1000, 'boolean'],
  bytea: [17, 1001, 'binary'],
  char: [18, 1002, 'text'],
  name: [19, 1003, 'text'],
  int8: [20, 1016, 'bigint'],
  int2: [21, 1005, 'integer'],
  int4: [23, 1007, 'integer'],
  regproc: [24, 1008, 'text'],
  text: [25, 1009, 'text'],
  oid: [26, 1028, 'integer'],
  json: [114, 199, 'json'],
  xml: [142, 143, 'text'],
  point: [600, 1017, 'text'],
  lseg: [601, 1018, 'text'],
  path: [602, 1019, 'text'],
  box: [603, 1020, 'text'],
  polygon: [604, 1027, 'text'],
  line: [628, 629, 'text'],
  cidr: [650, 651, 'text'],
  float4: [700, 1021, 'number'],
  float8: [701, 1022, 'number'],
  circle: [718, 719, 'text'],
  macaddr8: [774, 775, 'text'],
  money: [790, 791, 'text'],
  macaddr: [829, 1040, 'text'],
  inet: [869, 1041, 'text'],
  bpchar: [1042, 1014, 'text'],
  varchar: [1043, 1015, 'text'],
  date: [1082, 1182, 'date'],
  time: [1083, 1183, 'text'],
  timestamp: [1114, 1115, 'timestamp'],
  timestamptz: [1184, 1185, 'timestamp'],
  interval: [1186, 1187, 'text'],
  timetz: [1266, 1270, 'text'],
  bit: [1560, 1561, 'text'],
  varbit: [1562, 1563, 'text'],
  numeric: [1700, 1231, 'decimal'],
  regclass: [2205, 2210, 'text'],
  regtype: [2206, 2211, 'text'],
  uuid: [2950, 2951, 'text'],
  pg_lsn: [3220, 3221, 'text'],
  tsvector: [3614, 3643, 'text'],
  tsquery: [3615, 3645, 'text'],
  jsonb: [3802, 3807, 'json'],
  int4range: [3904, 3905, 'text'],
  numrange: [3906, 3907, 'text'],
  tsrange: [3908, 3909, 'text'],
  tstzrange: [3910, 3911, 'text'],
  daterange: [3912, 3913, 'text'],
  int8range: [3926, 3927, 'text'],
  jsonpath: [4072, 4073, 'text'],
  int4multirange: [4451, 6150, 'text'],
  nummultirange: [4532, 6151, 'text'],
  tsmultirange: [4533, 6152, 'text'],
  tstzmultirange: [4534, 6153, 'text'],
  datemultirange: [4535, 6155, 'text'],
  int8multirange: [4536, 6157, 'text'],
}

interface BuiltIn {
  readonly name: string
  readonly type: SchemaType
  /** Of an array: the OID of its elements. */
  readonly elementOid: number
}

const BY_OID = new Map<number, BuiltIn>()
for (const [name, [oid, arrayOid, type]] of Object.entries(BUILT_IN)) {
  BY_OID.set(oid, { name, type, elementOid: 0 })
  BY_OID.set(arrayOid, { name: `${name}[]`, type: 'array', elementOid: oid })
}

/** Whether `oid` is a type that only the catalog knows. */
export const isUnknownType = (oid: number): boolean => !BY_OID.has(oid)

/** Parsers of the user's: given the OID and the name of a type, the one for its texts, if there is one. */
export type UserParsers = (oid: number, name: string | undefined) => ((text: string) => unknown) | undefined

/** How one column comes. */
export interface ColumnDecoding {
  /** Undefined: as text in UTF-8. */
  readonly decode: FieldDecoder | undefined
  /** Of text: that it is ASCII, whatever it says. */
  readonly ascii: boolean
  readonly type: Pick<ColumnSchema, 'type' | 'format' | 'items' | 'native'>
}

/** Types whose text is ASCII. */
const ASCII = new Set(['numeric', 'uuid', 'time', 'timetz', 'inet', 'cidr', 'macaddr', 'macaddr8', 'bit', 'varbit'])

/** Decodes columns by their types, as the options of one read want it. */
export class TypeDecoding {
  readonly #modes: ValueModes
  readonly #catalog: ReadonlyMap<number, CatalogType>
  readonly #userParsers: UserParsers

  constructor(modes: ValueModes, catalog: ReadonlyMap<number, CatalogType>, userParsers: UserParsers) {
    this.#modes = modes
    this.#catalog = catalog
    this.#userParsers = userParsers
  }

  column(field: Pick<FieldDescription, 'typeOid' | 'typeModifier'>): ColumnDecoding {
    const decoding = this.#decoding(field)
    // What a parser of the user's makes may be anything.
    const isOwn = this.#userParsers(field.typeOid, this.nameOf(field.typeOid)) === undefined
    const native = isOwn ? this.#native(field) : undefined
    return native === undefined ? decoding : { ...decoding, type: { ...decoding.type, native } }
  }

  /** The name of a type, and of a domain that of what it stands on; undefined where it is not known. */
  nameOf(oid: number): string | undefined {
    return this.#describe(oid).name
  }

  /** What the catalog calls a type; undefined of what no column can be of. */
  #native({ typeOid, typeModifier: modifier }: Pick<FieldDescription, 'typeOid' | 'typeModifier'>) {
    const builtIn = BY_OID.get(typeOid)
    if (builtIn !== undefined) {
      const name = builtIn.elementOid === 0 ? builtIn.name : `_${builtIn.name.slice(0, -2)}`
      const kind = name.endsWith('multirange') ? 'm' : name.endsWith('range') ? 'r' : 'b'
      const native: NativeType = {
        system: 'postgres',
        schema: 'pg_catalog',
        name,
        kind: builtIn.elementOid === 0 ? kind : 'b',
        modifier,
      }
      return native
    }
    const own = this.#catalog.get(typeOid)
    return own === undefined ? undefined : nativeOf(own, modifier)
  }

  #decoding({ typeOid, typeModifier }: Pick<FieldDescription, 'typeOid' | 'typeModifier'>): ColumnDecoding {
    const { name, type, elementOid, delimiter } = this.#describe(typeOid)
    const parser = this.#userParsers(typeOid, name)
    const format = formatOf(name, typeModifier)
    if (parser !== undefined) {
      return {
        decode: (bytes, start, length) => parser(bytes.utf8Slice(start, start + length)),
        ascii: false,
        type: { type: 'json', ...format },
      }
    }
    if (type === 'array' && elementOid !== 0) return this.#array(elementOid, delimiter, format)
    const asText = type === 'decimal' && this.#modes.decimals === 'string'
    const decode = asText ? undefined : this.#decoder(name)
    return {
      decode,
      ascii: decode === undefined && name !== undefined && ASCII.has(name),
      type: { type: this.#typeOf(type), ...format },
    }
  }

  #array(elementOid: number, delimiter: string, format: { format?: string }): ColumnDecoding {
    const element = this.#decoding({ typeOid: elementOid, typeModifier: -1 })
    const { decode } = element
    const parse =
      decode === undefined
        ? (text: string) => text
        : (text: string) => {
            const bytes = Buffer.from(text) as MessageBytes
            return decode(bytes, 0, bytes.length)
          }
    return {
      decode: (bytes, start, length) => parseArray(bytes.utf8Slice(start, start + length), parse, delimiter),
      ascii: false,
      type: { type: 'array', items: { ...element.type, nullable: true }, ...format },
    }
  }

  #describe(oid: number): Omit<BuiltIn, 'name'> & { name: string | undefined; delimiter: string } {
    const builtIn = BY_OID.get(oid)
    if (builtIn !== undefined) return { ...builtIn, delimiter: builtIn.elementOid === BUILT_IN.box![0] ? ';' : ',' }
    const own = this.#catalog.get(oid)
    if (own === undefined) return { name: undefined, type: 'text', elementOid: 0, delimiter: ',' }
    const { name, kind, elementOid, delimiter } = own
    if (kind === 'd') {
      const base = this.#describe(elementOid)
      return { ...base, name: base.name ?? name }
    }
    if (elementOid !== 0) {
      const element = this.#describe(elementOid)
      return { name: `${element.name ?? name.replace(/^_/, '')}[]`, type: 'array', elementOid, delimiter }
    }
    const isVector = kind === 'b' && (name === 'vector' || name === 'halfvec')
    return { name, type: isVector ? 'array' : 'text', elementOid: 0, delimiter }
  }

  /** By name, as a domain has the name of what it stands on. */
  #decoder(name: string | undefined): FieldDecoder | undefined {
    switch (name) {
      case 'bool':
        return decodeBoolean
      case 'int2':
      case 'int4':
      case 'oid':
        return decodeInteger
      case 'int8':
        return bigintDecoder(this.#modes.bigint)
      case 'float4':
      case 'float8':
      case 'numeric':
        return decodeNumber
      case 'bytea':
        return decodeBytes
      case 'json':
      case 'jsonb':
        return jsonDecoder(this.#modes.bigint)
      case 'date':
        return decodeDate
      case 'timestamp':
        return timestampDecoder(false, this.#modes.timestamps)
      case 'timestamptz':
        return timestampDecoder(true, this.#modes.timestamps)
      case 'interval':
        return decodeInterval
      case 'vector':
      case 'halfvec':
        return decodeVector
      default:
        return undefined
    }
  }

  #typeOf(type: SchemaType): SchemaType {
    if (type === 'bigint' && this.#modes.bigint === 'number') return 'number'
    if (type === 'decimal' && this.#modes.decimals === 'number') return 'number'
    if (type === 'timestamp' && this.#modes.timestamps === 'string') return 'text'
    return type
  }
}

/** What the catalog calls a type; undefined of a pseudo-type, which no column can be of. */
export function nativeOf({ schema, name, kind }: CatalogType, modifier: number): NativeType | undefined {
  return kind === 'p' ? undefined : { system: 'postgres', schema, name, kind, modifier }
}

/** Types that other sources have as well, by the name that all of them give to it, so that types are kept between them. */
const COMMON_NAMES: Readonly<Record<string, string>> = {
  bool: 'BOOLEAN',
  int2: 'SMALLINT',
  int4: 'INTEGER',
  int8: 'BIGINT',
  float8: 'DOUBLE',
  text: 'VARCHAR',
  bytea: 'BLOB',
  date: 'DATE',
  time: 'TIME',
  timestamp: 'TIMESTAMP',
  timestamptz: 'TIMESTAMP WITH TIME ZONE',
  uuid: 'UUID',
}

/** The name of the type with its size: the one that is common, or Postgres's own. */
function formatOf(name: string | undefined, modifier: number): { format?: string } {
  if (name === undefined) return {}
  if (name.endsWith('[]')) return { format: `${formatOf(name.slice(0, -2), -1).format}[]` }
  if (name === 'numeric' && modifier >= 4) {
    const size = modifier - 4
    // From Postgres 15 on the scale may be negative: it has 11 bits.
    return { format: `DECIMAL(${size >>> 16},${((size & 0x7ff) ^ 1024) - 1024})` }
  }
  if (name === 'varchar' || name === 'bpchar') {
    const own = name === 'bpchar' ? 'char' : name
    return { format: modifier < 4 ? own : `${own}(${modifier - 4})` }
  }
  return { format: COMMON_NAMES[name] ?? name }
}

/** The statement that asks the catalog for types, `$1` being an array of OIDs; elements and bases of domains come along. */
export const CATALOG_QUERY = `WITH RECURSIVE wanted AS (
  SELECT t.* FROM pg_catalog.pg_type t WHERE t.oid = ANY($1::oid[])
  UNION
  SELECT t.* FROM pg_catalog.pg_type t JOIN wanted w
    ON t.oid = CASE WHEN w.typtype = 'd' THEN w.typbasetype ELSE w.typelem END
)
SELECT w.oid::text, nspname, typname, typtype, typdelim,
  CASE WHEN typtype = 'd' THEN typbasetype WHEN typcategory = 'A' THEN typelem ELSE 0 END::text AS element
FROM wanted w JOIN pg_catalog.pg_namespace n ON n.oid = w.typnamespace`

/**
 * The statement that asks what columns of tables are beside what a result says of them: whether they may be null, and the
 * domains that they are of, which a result calls by their base types. `$1` are OIDs of tables, `$2` numbers of columns.
 * From Postgres 18 on, NOT NULL may be said of rows to come alone, or not of the tables below.
 */
export const ORIGINS_QUERY = `SELECT a.attrelid::text AS table, a.attnum AS column, a.atttypid::text AS type, a.atttypmod AS modifier,
  t.typtype = 'd' AS domain,
  a.attnotnull AND c.relkind IN ('r', 'p') AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k
    WHERE k.conrelid = a.attrelid AND k.contype = 'n' AND k.conkey = ARRAY[a.attnum] AND (k.connoinherit OR NOT k.convalidated)) AS required
FROM unnest($1::oid[], $2::int2[]) AS w(relation, number)
JOIN pg_catalog.pg_attribute a ON a.attrelid = w.relation AND a.attnum = w.number
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid`
