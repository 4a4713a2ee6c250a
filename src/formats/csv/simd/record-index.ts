/** Where the fields and the records of a block of CSV end, found 64 bytes at a time. */
import type { ValueKind } from '../../../core/column-types.ts'
import type { LineEnding, ReadDialect } from '../read-dialect.ts'
import { RECORD_INDEX_WASM } from './record-index-wasm.ts'

/** Bytes of the largest block that is indexed; larger ones hold one long record, and gain nothing. */
export const MAX_INDEXED_BYTES = 32_768
/** What the code may read beyond a block. */
const PADDING = 64
const RESULTS = MAX_INDEXED_BYTES + PADDING
const ENDS = RESULTS + 8
const RECORDS = ENDS + 4 * MAX_INDEXED_BYTES
const LINES = RECORDS + 4 * MAX_INDEXED_BYTES
const BASES = LINES + 4 * MAX_INDEXED_BYTES
const POWERS = BASES + 4 * MAX_INDEXED_BYTES
const PLAN = POWERS + 8 * 16
/** Most fields of a record that `RecordIndex.readValues` reads. */
const MAX_PLANNED_FIELDS = 512
const SLOTS = PLAN + 8 * MAX_PLANNED_FIELDS
/** A byte that UTF-8 does not have. */
const NONE = 255
const CR = 13

/** The part of WebAssembly that is used; its types come only with those of browsers. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object) => { readonly exports: object }
}

interface RecordIndexExports {
  readonly memory: { readonly buffer: ArrayBuffer }
  readonly index: (
    block: number,
    length: number,
    ends: number,
    records: number,
    lines: number,
    delimiter: number,
    quote: number,
    cr: number,
    open: number,
    results: number,
  ) => number
  readonly values: (
    block: number,
    ends: number,
    records: number,
    count: number,
    width: number,
    cr: number,
    plan: number,
    planEnd: number,
    slots: number,
    bases: number,
    powers: number,
  ) => void
}

/** What the index knows of a dialect. Lines end with LF; a quote inside quotes is doubled. */
export interface IndexDialect {
  /** From 1 to 127. */
  readonly delimiter: number
  /** From 1 to 127, or -1 where nothing quotes. */
  readonly quote: number
  /** Whether CRLF is a line end, too. */
  readonly crlf: boolean
}

/** A dialect as the index knows it; `null` where it does not. The index reads what the engine is mostly for: lines that end with LF, ASCII delimiters, quotes that are doubled. */
export function indexDialectOf(
  { delimiters, quote, escape }: ReadDialect,
  { end, pair }: LineEnding,
): IndexDialect | null {
  const known = (character: string) => character > '\0' && character < '\x80' && character !== '\r'
  const delimiter = delimiters[0]!
  if (end !== '\n' || !known(delimiter)) return null
  const knowsQuote = quote !== null && quote === escape && known(quote)
  return { delimiter: delimiter.charCodeAt(0), quote: knowsQuote ? quote.charCodeAt(0) : -1, crlf: pair }
}

/** In an item of `RecordIndex.records`: the record has quotes. */
export const HAS_QUOTES = 1
/** In an item of `RecordIndex.records`: it has doubled quotes. */
export const HAS_DOUBLED_QUOTES = 2
export const ANY_QUOTES = HAS_QUOTES | HAS_DOUBLED_QUOTES
/** An item of `RecordIndex.records` without these. */
export const RECORD_SHIFT = 2

/** What stands in `RecordIndex.int32s` for a value that was not read. */
export const NOT_READ = -2_147_483_648

/** A field that `RecordIndex.readValues` reads. */
export interface PlannedField {
  readonly field: number
  /** The values of `int32` and, as numbers of days, of `date` go to `int32s`, others to `doubles`. */
  readonly kind: ValueKind
}

const KINDS = { int32: 1, number: 2, integer: 3, date: 4 } as const satisfies Record<ValueKind, number>

/** The fields of a record to be read as values. */
export interface ValuePlan {
  /** Fields of a record. */
  readonly width: number
  readonly items: Int32Array
}

export function valuePlan(width: number, fields: readonly PlannedField[]): ValuePlan {
  return { width, items: Int32Array.from(fields.flatMap(({ field, kind }) => [field, KINDS[kind]])) }
}

export interface RecordIndex {
  /** Position of each delimiter and LF outside quotes, in order, in UTF-16 units. */
  readonly ends: Int32Array
  /** For each record: the index of its LF in `ends`, shifted by `RECORD_SHIFT`, and its flags. */
  readonly records: Int32Array
  /** For each record: how many LFs there are up to its own, in quotes or not. */
  readonly lines: Int32Array
  /** Records of the block that end in it, up to the first that has a quote in the wrong place. */
  readonly count: number
  /** Bytes up to the end of the last of these. */
  readonly bytes: number
  /** Whether each character is one byte, up to the end of the last of these at least. */
  readonly ascii: boolean
  /** How many times the index was filled. */
  readonly filled: number
  /**
   * Indexes a block of valid UTF-8 that begins at the start of a record or, if it is `open`, inside quotes. What the index
   * held before is gone. Of invalid UTF-8 it gives positions that are no good, but `bytes` at which a line ends.
   */
  index(block: Uint8Array, dialect: IndexDialect, open: boolean): void
  /**
   * The values that `readValues` has read, by the exact readings of core/values.ts: what these do not take is `NOT_READ`
   * or NaN, and so are texts that are longer than most. A slot is an item of `doubles`, or two of `int32s`, of which the
   * second is of no use.
   */
  readonly int32s: Int32Array
  readonly doubles: Float64Array
  /**
   * For each record that has as many fields as the plan says: the number of the slot of its first value in `int32s`; and 1
   * more if not all values were read.
   */
  readonly bases: Int32Array
  /** Reads values of all records, once for a plan. Only of an index of ASCII. */
  readValues(plan: ValuePlan): void
}

let shared: RecordIndex | null | undefined

/**
 * The one index of the process: it is filled and used up without a wait between. `null` where there is no WebAssembly,
 * or none with SIMD.
 */
export function recordIndex(): RecordIndex | null {
  if (shared === undefined) {
    try {
      shared = createIndex()
    } catch {
      shared = null // forbidden, or of another kind: the loop over `indexOf` does the same
    }
  }
  return shared
}

function createIndex(): RecordIndex {
  const instance = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(RECORD_INDEX_WASM, 'base64')))
  const { memory, index, values } = instance.exports as RecordIndexExports
  const memoryBytes = new Uint8Array(memory.buffer)
  const results = new Int32Array(memory.buffer, RESULTS, 2)
  const planned = new Int32Array(memory.buffer, PLAN, 2 * MAX_PLANNED_FIELDS)
  new Float64Array(memory.buffer, POWERS, 16).set(Array.from({ length: 16 }, (_, i) => 10 ** i))
  let valuesOf: ValuePlan | null = null
  let crOf = CR
  const created = {
    ends: new Int32Array(memory.buffer, ENDS, MAX_INDEXED_BYTES),
    records: new Int32Array(memory.buffer, RECORDS, MAX_INDEXED_BYTES),
    lines: new Int32Array(memory.buffer, LINES, MAX_INDEXED_BYTES),
    count: 0,
    bytes: 0,
    ascii: true,
    filled: 0,
    int32s: new Int32Array(memory.buffer, SLOTS, 2 * MAX_INDEXED_BYTES),
    doubles: new Float64Array(memory.buffer, SLOTS, MAX_INDEXED_BYTES),
    bases: new Int32Array(memory.buffer, BASES, MAX_INDEXED_BYTES),
    index(block: Uint8Array, dialect: IndexDialect, open: boolean) {
      const { length } = block
      const quote = dialect.quote < 0 ? NONE : dialect.quote
      const cr = dialect.crlf ? CR : NONE
      valuesOf = null
      crOf = cr
      memoryBytes.set(block)
      memoryBytes.fill(0, length, length + PADDING)
      created.filled++
      created.count = index(0, length, ENDS, RECORDS, LINES, dialect.delimiter, quote, cr, open ? -1 : 0, RESULTS)
      created.bytes = results[0]!
      created.ascii = results[1] === 0
    },
    readValues(plan: ValuePlan) {
      if (plan === valuesOf) return
      valuesOf = plan
      const { width, items } = plan
      planned.set(items)
      const planEnd = PLAN + 4 * items.length
      values(0, ENDS, RECORDS, created.count, width, crOf, PLAN, planEnd, SLOTS, BASES, POWERS)
    },
  }
  return created
}
