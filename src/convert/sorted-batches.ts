/**
 * Sorts rows of sources that cannot do it: the rows go into a temp file with the values to sort by beside them, which DuckDB
 * then sorts in bounded memory. Rows come back as they went in, and equal ones in the order in which they came.
 */
import { rm } from 'node:fs/promises'
import { types } from 'node:util'
import { deserialize, serialize } from 'node:v8'
import { CalendarDate } from '../core/calendar-date.ts'
import { createError, excerpt } from '../core/errors.ts'
import { typeOf } from '../core/infer-values.ts'
import { PreciseDate } from '../core/precise-date.ts'
import { type OrderColumn, orderColumns, type RowSelection } from '../core/row-selection.ts'
import type { SchemaType } from '../core/schema.ts'
import { claimTempPath, releaseTempPath } from '../core/temp-files.ts'
import type { Batch, Row } from '../core/types.ts'
import { openIterable } from '../open.ts'

export interface SortOptions {
  readonly orderBy: RowSelection['orderBy']
  /** Names the source in messages. */
  readonly label: string
  readonly signal: AbortSignal
}

/** The rows, sorted. Throws OPTION_INVALID for values that have no order among each other. */
export async function* sortedBatches(
  batches: AsyncIterable<Batch>,
  { orderBy, label, signal }: SortOptions,
): AsyncGenerator<Batch, void, undefined> {
  const path = await claimTempPath()
  try {
    const keys = orderColumns(orderBy).map(order => new SortKey(order, label))
    await using writer = openIterable<Row>(path, { mode: 'w', format: 'parquet', signal })
    let position = 0
    for await (const batch of batches) {
      const kept = batch.map(row => {
        const made: Row = { position: position++, row: pack(row) }
        for (const [i, key] of keys.entries()) made[`key_${i}`] = key.take(row)
        return made
      })
      await writer.writeBulk(kept)
    }
    if (position === 0) return
    await writer.close()
    const order: OrderColumn[] = keys.map(({ order }, i) => ({ ...order, column: `key_${i}` }))
    await using reader = openIterable<{ row: Uint8Array }>(path, {
      format: 'parquet',
      columns: ['row'],
      orderBy: [...order, 'position'],
      signal,
    })
    for await (const batch of reader.batches()) yield batch.map(({ row }) => unpack(row))
  } finally {
    await rm(path, { force: true })
    releaseTempPath(path)
  }
}

/** Types whose values have an order. */
const ORDERED: readonly SchemaType[] = ['integer', 'bigint', 'number', 'text', 'boolean', 'date', 'timestamp']
/** Kinds that have an order together, and one column. */
const TOGETHER: readonly (readonly SchemaType[])[] = [
  ['integer', 'number'],
  ['integer', 'bigint'],
]

class SortKey {
  readonly order: Required<OrderColumn>
  readonly #label: string
  #kinds: SchemaType[] = []

  constructor(order: Required<OrderColumn>, label: string) {
    this.order = order
    this.#label = label
  }

  take(row: Row): unknown {
    const { column } = this.order
    const value = (Object.hasOwn(row, column) ? row[column] : null) ?? null
    if (value === null) return null
    const type = typeOf(value)
    const kind = ORDERED.includes(type) ? type : undefined
    if (kind !== undefined && this.#kinds.includes(kind)) return value
    const kinds = kind === undefined ? [] : [...this.#kinds, kind]
    const fits = kinds.length === 1 || TOGETHER.some(set => kinds.length > 0 && kinds.every(one => set.includes(one)))
    if (!fits) {
      throw createError('OPTION_INVALID', `option orderBy names ${excerpt(column)}, whose values have no order`, {
        label: this.#label,
        expected: 'numbers, texts, booleans, dates or timestamps, of one kind',
        found: kind === undefined ? excerpt(value) : `${this.#kinds.join(' and ')}, then ${kind}`,
      })
    }
    this.#kinds = kinds
    return value
  }
}

/** What a copy of a row loses: the class of a date, and where it stands. */
type Special = readonly [path: readonly string[], nanoseconds: number | undefined]

function pack(row: Row): Uint8Array {
  const specials: Special[] = []
  findSpecials(row, [], specials)
  return serialize(specials.length === 0 ? [row] : [row, specials])
}

function findSpecials(value: object, path: readonly string[], into: Special[]): void {
  if (ArrayBuffer.isView(value)) return
  for (const [key, inner] of Object.entries(value)) {
    if (typeof inner !== 'object' || inner === null) continue
    if (!types.isDate(inner)) findSpecials(inner, [...path, key], into)
    else if (inner instanceof PreciseDate) into.push([[...path, key], inner.nanoseconds])
    else if (inner instanceof CalendarDate) into.push([[...path, key], undefined])
  }
}

function unpack(bytes: Uint8Array): Row {
  const [row, specials = []] = deserialize(bytes) as [Row, Special[]?]
  for (const [path, nanoseconds] of specials) {
    const last = path.at(-1)!
    const place = path.slice(0, -1).reduce<Row>((inner, key) => inner[key] as Row, row)
    const date = place[last] as Date
    place[last] = nanoseconds === undefined ? new CalendarDate(date) : new PreciseDate(date.getTime(), nanoseconds)
  }
  return row
}
