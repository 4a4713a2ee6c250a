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

  constructor(boolean: ValueParser) {
    this.#boolean = boolean
  }

  observe(text: string): void {
    const candidates = this.#candidates
    this.#seen = true
    if (candidates === 0) return
    const end = text.length
    let fits = 0
    if ((candidates & NUMERIC) !== 0) {
      if (exactInteger(text, 0, end) !== undefined) fits = NUMERIC
      else {
        if ((candidates & BIGINT) !== 0 && exactBigint(text, 0, end) !== undefined) fits |= BIGINT
        if ((candidates & NUMBER) !== 0 && exactNumber(text, 0, end) !== undefined) fits |= NUMBER
      }
    }
    if ((candidates & BOOLEAN) !== 0 && this.#boolean(text, 0, end) !== undefined) fits |= BOOLEAN
    if ((candidates & DATE) !== 0 && calendarDate(text, 0, end) !== undefined) fits |= DATE
    if ((candidates & TIMESTAMP) !== 0 && utcTimestamp(text, 0, end) !== undefined) fits |= TIMESTAMP
    this.#candidates = candidates & fits
  }

  /** The narrowest type that all values have; text where they have none in common, or where there were none. */
  get type(): ColumnType {
    if (!this.#seen) return 'text'
    return BY_PRIORITY.find(([bit]) => (this.#candidates & bit) !== 0)?.[1] ?? 'text'
  }
}
