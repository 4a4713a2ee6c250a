/** What type the texts of a column have in common. */
import {
  type ColumnType,
  calendarDate,
  exactBigint,
  exactInteger,
  exactNumber,
  utcTimestamp,
  type ValueParser,
} from './values.ts'

const INTEGER = 1
const BIGINT = 2
const NUMBER = 4
const NUMERIC = INTEGER | BIGINT | NUMBER
const BOOLEAN = 8
const DATE = 16
const TIMESTAMP = 32
const MAX_INT32 = 2 ** 31 - 1
const ALL = NUMERIC | BOOLEAN | DATE | TIMESTAMP

/** The first that all values have is the type: booleans go first, as their texts may be numbers if the user says so. */
const BY_PRIORITY: readonly (readonly [bit: number, type: ColumnType])[] = [
  [BOOLEAN, 'boolean'],
  [INTEGER, 'integer'],
  [BIGINT, 'bigint'],
  [NUMBER, 'number'],
  [DATE, 'date'],
  [TIMESTAMP, 'timestamp'],
]

/** Looks at the values of one column; nulls are not shown to it. */
export class TypeInferrer {
  readonly #boolean: ValueParser
  #candidates = ALL
  #seen = false
  /** Whether an integer has more than 32 bits. */
  large = false

  constructor(boolean: ValueParser) {
    this.#boolean = boolean
  }

  /** Looks at `text[start, end)`. */
  observe(text: string, start = 0, end = text.length): void {
    const candidates = this.#candidates
    this.#seen = true
    if (candidates === 0) return
    let fits = 0
    if ((candidates & NUMERIC) === NUMBER) {
      if (exactNumber(text, start, end) !== undefined) fits = NUMBER
    } else if ((candidates & NUMERIC) !== 0) {
      const integer = exactInteger(text, start, end)
      if (integer !== undefined) {
        fits = NUMERIC
        if (Math.abs(integer) > MAX_INT32) this.large = true
      } else {
        if ((candidates & BIGINT) !== 0 && exactBigint(text, start, end) !== undefined) fits |= BIGINT
        if ((candidates & NUMBER) !== 0 && exactNumber(text, start, end) !== undefined) fits |= NUMBER
      }
    }
    if ((candidates & BOOLEAN) !== 0 && this.#boolean(text, start, end) !== undefined) fits |= BOOLEAN
    if ((candidates & DATE) !== 0 && calendarDate(text, start, end) !== undefined) fits |= DATE
    if ((candidates & TIMESTAMP) !== 0 && utcTimestamp(text, start, end) !== undefined) fits |= TIMESTAMP
    this.#candidates = candidates & fits
  }

  /** The narrowest type that all values have; text where they have none in common, or where there were none. */
  get type(): ColumnType {
    if (!this.#seen) return 'text'
    return BY_PRIORITY.find(([bit]) => (this.#candidates & bit) !== 0)?.[1] ?? 'text'
  }
}
