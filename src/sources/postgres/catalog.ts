/** What is known of the types that users and extensions have made, and of the columns that statements give. */
import type { NativeType } from '../../core/schema.ts'
import { type Clock, systemClock } from '../../resilience/clock.ts'
import type { DecodedColumns } from './columns.ts'
import type { TextOrders } from './text-order.ts'
import {
  CATALOG_QUERY,
  type CatalogType,
  type FieldDescription,
  isUnknownType,
  nativeOf,
  ORIGINS_QUERY,
} from './types.ts'

const MAX_STATEMENTS = 1000
const MAX_COLUMNS = 20_000
/** So many rows are not worth being asked for in parts. */
const FEW_ROWS = 500
/** How long what was learnt of the columns of a table holds, as tables are changed beside us. */
const LEARNT_MS = 10_000

/** Runs a statement on the connection at hand; values come as text. */
export type RunQuery = (sql: string, params: readonly unknown[]) => Promise<readonly Record<string, unknown>[]>

/** What a column of a result is in the table that it is of. */
export interface ColumnOrigin {
  /** Whether it cannot be null there. */
  readonly required: boolean
  /** Of a column of a domain: which, as a result calls it by its base type. */
  readonly domain: NativeType | undefined
}

interface KnownStatement {
  readonly learntAt: number
  readonly origins: ReadonlyMap<string, ColumnOrigin>
  /** How its rows were made the last time. */
  decoded?: DecodedColumns
}

/**
 * What makes nulls of columns that have none: outer joins, sets of groups, and the row before an INSERT. The words may stand
 * for something else, and then less is known than could be.
 */
const MAKES_NULLS = /\b(?:left|right|full|rollup|cube|grouping|returning)\b/i

/** One for each server. */
export class TypeCatalog {
  readonly types = new Map<number, CatalogType>()
  /** Statements whose types are all known. */
  readonly #statements = new Map<string, KnownStatement>()
  readonly #origins = new Map<string, AskedOrigin>()
  readonly #orders = new Map<string, { readonly learntAt: number; readonly orders: TextOrders }>()
  /** Statements that gave few rows when they were last read. */
  readonly #small = new Set<string>()
  /** Oids that the catalog does not have. */
  readonly #missing = new Set<number>()
  readonly #clock: Clock

  constructor(clock: Clock = systemClock) {
    this.#clock = clock
  }

  /** Whether the types of a statement's columns are known without asking. */
  knows(sql: string): boolean {
    const known = this.#statements.get(sql)
    return known !== undefined && this.#clock.now() - known.learntAt < LEARNT_MS
  }

  /** Asks for what is not known yet of a statement's columns. */
  async learn(sql: string, fields: readonly FieldDescription[], run: RunQuery): Promise<void> {
    const origins = await this.#askOrigins(fields, run)
    const domains = [...origins.values()].flatMap(({ domain }) => domain ?? [])
    const wanted = this.#unknown([...fields.map(({ typeOid }) => typeOid), ...domains])
    if (wanted.length > 0) {
      const rows = await run(CATALOG_QUERY, [`{${wanted.join(',')}}`])
      for (const { oid, nspname, typname, typtype, typdelim, element } of rows) {
        this.types.set(Number(oid), {
          oid: Number(oid),
          schema: String(nspname),
          name: String(typname),
          kind: String(typtype),
          elementOid: Number(element),
          delimiter: String(typdelim),
        })
      }
      for (const oid of wanted) if (!this.types.has(oid)) this.#missing.add(oid)
    }
    const mayBeNull = MAKES_NULLS.test(sql)
    const known = new Map<string, ColumnOrigin>()
    for (const [key, { required, domain, modifier }] of origins) {
      const type = domain === undefined ? undefined : this.types.get(domain)
      known.set(key, {
        required: required && !mayBeNull,
        domain: type === undefined ? undefined : nativeOf(type, modifier),
      })
    }
    this.#statements.delete(sql)
    if (this.#statements.size >= MAX_STATEMENTS) this.#statements.delete(this.#statements.keys().next().value!)
    // What was learnt with another statement before is as old as that.
    const learntAt = Math.min(this.#clock.now(), ...[...origins.values()].map(origin => origin.learntAt))
    this.#statements.set(sql, { learntAt, origins: known })
  }

  /** To be told of the columns that a statement has indeed: where a type is new, the next read asks for it. */
  check(sql: string, fields: readonly FieldDescription[]): void {
    if (this.#unknown(fields.map(({ typeOid }) => typeOid)).length > 0) this.#statements.delete(sql)
  }

  /** What a column of a statement is in its table; undefined where it is of none, or that is not known. */
  originOf(sql: string, field: FieldDescription): ColumnOrigin | undefined {
    return this.#statements.get(sql)?.origins.get(originKey(field.tableOid, field.columnNumber))
  }

  /** How texts of a table's columns are to be compared, where that was asked lately. */
  textOrdersOf(table: string): TextOrders | undefined {
    const known = this.#orders.get(table)
    return known !== undefined && this.#clock.now() - known.learntAt < LEARNT_MS ? known.orders : undefined
  }

  keepTextOrders(table: string, orders: TextOrders): void {
    if (this.#orders.size >= MAX_STATEMENTS) this.#orders.clear()
    this.#orders.set(table, { learntAt: this.#clock.now(), orders })
  }

  /** How the rows of a statement were made the last time. */
  decodedOf(sql: string): DecodedColumns | undefined {
    return this.#statements.get(sql)?.decoded
  }

  keepDecoded(sql: string, decoded: DecodedColumns): void {
    const known = this.#statements.get(sql)
    if (known !== undefined) known.decoded = decoded
  }

  /** Whether a statement gave few rows the last time. */
  givesFew(sql: string): boolean {
    return this.#small.has(sql)
  }

  /** To be told how many rows a statement gave. */
  tellRows(sql: string, count: number): void {
    if (count > FEW_ROWS) this.#small.delete(sql)
    else if (!this.#small.has(sql)) {
      if (this.#small.size >= MAX_STATEMENTS) this.#small.delete(this.#small.values().next().value!)
      this.#small.add(sql)
    }
  }

  /** What columns are in their tables; statements on the same ones ask once. */
  async #askOrigins(fields: readonly FieldDescription[], run: RunQuery): Promise<Map<string, AskedOrigin>> {
    const now = this.#clock.now()
    const origins = new Map<string, AskedOrigin>()
    const asked: FieldDescription[] = []
    for (const field of fields) {
      if (field.tableOid === 0 || field.columnNumber <= 0) continue
      const key = originKey(field.tableOid, field.columnNumber)
      const known = this.#origins.get(key)
      if (known !== undefined && now - known.learntAt < LEARNT_MS) origins.set(key, known)
      else asked.push(field)
    }
    if (asked.length === 0) return origins
    if (this.#origins.size + asked.length > MAX_COLUMNS) this.#origins.clear()
    for (const [key, origin] of await askOrigins(asked, run, now)) {
      origins.set(key, origin)
      this.#origins.set(key, origin)
    }
    return origins
  }

  #unknown(given: readonly number[]): number[] {
    const oids = new Set(given.filter(isUnknownType))
    return [...oids].filter(oid => !this.types.has(oid) && !this.#missing.has(oid))
  }
}

const originKey = (table: number, column: number): string => `${table}.${column}`

interface AskedOrigin {
  readonly learntAt: number
  readonly required: boolean
  /** OID of the domain. */
  readonly domain: number | undefined
  readonly modifier: number
}

async function askOrigins(
  columns: readonly FieldDescription[],
  run: RunQuery,
  learntAt: number,
): Promise<Map<string, AskedOrigin>> {
  const origins = new Map<string, AskedOrigin>()
  const list = (numbers: readonly number[]) => `{${numbers.join(',')}}`
  const rows = await run(ORIGINS_QUERY, [
    list(columns.map(({ tableOid }) => tableOid)),
    list(columns.map(({ columnNumber }) => columnNumber)),
  ])
  for (const { table, column, type, modifier, domain, required } of rows) {
    origins.set(originKey(Number(table), Number(column)), {
      learntAt,
      required: isTrue(required),
      domain: isTrue(domain) ? Number(type) : undefined,
      modifier: Number(modifier),
    })
  }
  return origins
}

/** A client of the user's may give values as it likes. */
const isTrue = (value: unknown): boolean => value === true || value === 't'
