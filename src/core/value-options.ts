/** What becomes of typed values of a file or an engine that JavaScript has no one type for. */
import { is, type OptionEntry } from './options.ts'
import type { ColumnSchema, SchemaType } from './schema.ts'

/** How stored values become values of JavaScript. The defaults lose nothing. */
export interface StoredValueOptions {
  /**
   * Integers of 64 bits and more. `'auto'` (default): numbers within ±(2^53 − 1) and BigInts beyond, as for JSON;
   * `'bigint'`: all are BigInts; `'string'`: as `'auto'`, with digits in place of BigInts; `'number'`: all are numbers, the
   * nearest one beyond ±(2^53 − 1).
   */
  readonly bigint?: 'auto' | 'bigint' | 'string' | 'number' | undefined
  /** Decimals. `'string'` (default): text with all digits of its scale (`'12.50'`); `'number'`: the nearest number. */
  readonly decimals?: 'string' | 'number' | undefined
  /**
   * Timestamps. `'auto'` (default): a `Date`, which is a `PreciseDate` where it has micro- or nanoseconds; `'date'`: a
   * `Date`, rounded down to the millisecond; `'string'`: ISO 8601 text with all digits, in UTC, with a `Z` where the column
   * holds instants and without where it holds local times. What no `Date` can be (infinity) is text whatever is set.
   */
  readonly timestamps?: 'auto' | 'date' | 'string' | undefined
  /**
   * Maps. `'auto'` (default): objects where the keys are text, else arrays of `{ key, value }`; `'entries'`: always such
   * arrays, in the order of the file.
   */
  readonly maps?: 'auto' | 'entries' | undefined
}

/** The options with their defaults. */
export type ValueModes = { readonly [K in keyof StoredValueOptions]-?: NonNullable<StoredValueOptions[K]> }

export function valueModes(options: StoredValueOptions): ValueModes {
  return {
    bigint: options.bigint ?? 'auto',
    decimals: options.decimals ?? 'string',
    timestamps: options.timestamps ?? 'auto',
    maps: options.maps ?? 'auto',
  }
}

export const STORED_VALUE_OPTIONS = {
  bigint: {
    type: "'auto', 'bigint', 'string' or 'number'",
    default: "'auto'",
    means: 'Integers of 64 bits: numbers, and BigInts beyond ±(2^53 − 1) (auto); all BigInts; digits; or rounded.',
    accepts: is.oneOf('auto', 'bigint', 'string', 'number'),
  },
  decimals: {
    type: "'string' or 'number'",
    default: "'string'",
    means: 'Decimals: text with all digits, or the nearest number.',
    accepts: is.oneOf('string', 'number'),
  },
  timestamps: {
    type: "'auto', 'date' or 'string'",
    default: "'auto'",
    means:
      'Timestamps: a Date that knows its nanoseconds (PreciseDate) where it has any, a Date cut to ms, or ISO text.',
    accepts: is.oneOf('auto', 'date', 'string'),
  },
  maps: {
    type: "'auto' or 'entries'",
    default: "'auto'",
    means: 'Maps: objects where keys are text and else arrays of { key, value } (auto), or always such arrays.',
    accepts: is.oneOf('auto', 'entries'),
  },
} as const satisfies Record<keyof StoredValueOptions, OptionEntry>

/** A column as rows have it: what the options turn into something else is of another type than the file says. */
export function columnAsRead(column: ColumnSchema, modes: ValueModes): ColumnSchema {
  return { ...column, ...typesAsRead(column, modes) }
}

type Described = Omit<ColumnSchema, 'name' | 'source'>

function typesAsRead({ type, fields, items }: Described, modes: ValueModes): Partial<Described> & { type: SchemaType } {
  return {
    type:
      type === 'decimal' && modes.decimals === 'number'
        ? 'number'
        : type === 'bigint' && modes.bigint === 'number'
          ? 'number'
          : type === 'timestamp' && modes.timestamps === 'string'
            ? 'text'
            : type,
    ...(fields === undefined ? {} : { fields: fields.map(field => columnAsRead(field, modes)) }),
    ...(items === undefined ? {} : { items: { ...items, ...typesAsRead(items, modes) } }),
  }
}
