/** What `profile` finds out: plain data, the same after `JSON.parse(JSON.stringify(profile))`. */
import type { SchemaType } from '../core/schema.ts'
import type { Histogram } from './weighted-values.ts'

/**
 * How far a figure can be trusted. It is of the rows that were read: `scope` of the profile says whether these are all.
 *
 * `error`, of one that is not exact: of `hyperloglog` relative, at 95 % confidence; of `kll` of the rank of a quantile, as
 * a share of the values, at 99 %; of `frequent-items` the share of the values by which a count may be too low at most; of
 * `distinct-sampling` rows, at 95 %; of `row-sample` the standard error of a correlation of 0.
 */
export interface Accuracy {
  /** Whether the figure is exact. */
  readonly exact: boolean
  /** How it was estimated; none of what is exact. */
  readonly method?: 'hyperloglog' | 'kll' | 'frequent-items' | 'distinct-sampling' | 'row-sample'
  /** How far it may be off, in what the `method` measures it by; none of what is exact. */
  readonly error?: number
  /** The same in a sentence. */
  readonly note: string
}

/** What a single value is. */
export type ValueKind =
  | 'integer'
  | 'bigint'
  | 'number'
  | 'boolean'
  | 'date'
  | 'timestamp'
  | 'text'
  | 'object'
  | 'array'
  | 'binary'
  | 'other'

/** What may be wrong. */
export type FindingCode =
  | 'surrounding-space'
  | 'blank'
  | 'control-characters'
  | 'replacement-characters'
  | 'invisible-characters'
  | 'mojibake'
  | 'leading-zeros'
  | 'formatted-numbers'
  | 'null-text'
  | 'mixed-types'
  | 'not-finite'
  | 'future-dates'
  | 'outliers'
  | 'only-nulls'
  | 'mostly-nulls'
  | 'constant'

/** A value that something is the matter with, and where it is. */
export interface SuspiciousValue {
  /** Number of the row, from 1, without the header. */
  readonly row: number
  /** The value as text, 200 characters at most. */
  readonly value: string
}

/** Something in a column that is worth a look. */
export interface Finding {
  /** What it is. Stable. */
  readonly code: FindingCode
  /** Whether it is likely a mistake in the data, or only good to know. */
  readonly severity: 'warning' | 'info'
  /** A sentence. */
  readonly message: string
  /** Values that it is about. */
  readonly count: number
  /** Whether `count` is exact. */
  readonly exact: boolean
  /** The first of them; of outliers the farthest. */
  readonly samples: readonly SuspiciousValue[]
}

/** A quantile: the value below which this share of the values is. */
export interface Quantile {
  /** From 0 to 1: `0.5` is the median. */
  readonly share: number
  /** The value there. */
  readonly value: number
}

/** The numbers of a column, or the lengths of its texts. */
export interface NumberSummary {
  /** How many values it is about. */
  readonly count: number
  /** The least. */
  readonly min: number
  /** The greatest. */
  readonly max: number
  /** The arithmetic mean. */
  readonly mean: number
  /** Of the sample (n − 1); null of a single value. */
  readonly standardDeviation: number | null
  /** Of 1, 5, 25, 50, 75, 95 and 99 %. */
  readonly quantiles: readonly Quantile[]
  /** How many values lie where. */
  readonly histogram: Histogram
  /** Of quantiles and histogram; the rest is exact, as far as floating point is. */
  readonly accuracy: Accuracy
}

/** The dates or instants of a column. Times are ISO 8601 in UTC. */
export interface DateSummary {
  /** How many values it is about. */
  readonly count: number
  /** The earliest. */
  readonly min: string
  /** The latest. */
  readonly max: string
  /** The one in the middle. */
  readonly median: string
  /** Edges in milliseconds since 1970. */
  readonly histogram: Histogram
  /** Of median and histogram. */
  readonly accuracy: Accuracy
}

/** A value and how often it is there. */
export interface TopValue {
  /** As text, 200 characters at most. */
  readonly value: string
  /** Of an estimate the least that it can be. */
  readonly count: number
  /** Of an estimate the most that it can be. */
  readonly atMost: number
}

/** A column. */
export interface ColumnProfile {
  /** The name of the column. */
  readonly name: string
  /** The one type that all values fit, as `inferSchema` finds it; `json` where there is none. */
  readonly type: SchemaType
  /** Whether it is the user's or the file's word, or what the values show. */
  readonly source: 'declared' | 'file' | 'inferred'
  /** How many values of each kind there are; nulls are none. */
  readonly kinds: Readonly<Partial<Record<ValueKind, number>>>
  /** Values that are not null. */
  readonly count: number
  /** Rows without a value: null, or no such key. */
  readonly nulls: number
  /** Texts of length 0. */
  readonly empty: number
  /** How many different values there are; nulls are none. */
  readonly distinct: { readonly count: number; readonly accuracy: Accuracy }
  /** The least and the greatest value as texts: of numbers, dates, or texts by code units; null without values. */
  readonly min: string | null
  /** The greatest value, as `min` has the least. */
  readonly max: string | null
  /** Where half of the values or more are numbers. */
  readonly numbers?: NumberSummary
  /** Where half of the values or more are dates or instants. */
  readonly dates?: DateSummary
  /** In characters (code points), where there are texts. */
  readonly lengths?: NumberSummary
  /** The most frequent values, the most frequent first; at most `topValues`. */
  readonly top: { readonly values: readonly TopValue[]; readonly accuracy: Accuracy }
  /** What is worth a look; empty where nothing is. */
  readonly findings: readonly Finding[]
}

/** Columns that were compared in pairs. */
export interface ColumnPairs {
  /** The names of the columns, for the rows and the columns of `matrix`. */
  readonly columns: readonly string[]
  /** Columns that there were too many of. */
  readonly columnsLeftOut: number
  /** By row and column; null where it is not defined. Symmetric. */
  readonly matrix: readonly (readonly (number | null)[])[]
  /** Rows that were looked at. */
  readonly rows: number
  /** Whether all rows were looked at. */
  readonly accuracy: Accuracy
}

/** Which columns are null together. */
export interface Missingness {
  /** Rows without any null. */
  readonly completeRows: number
  /** Sets of columns that are null in the same rows, and no others; the most frequent. Columns by index. */
  readonly patterns: readonly { readonly columns: readonly number[]; readonly rows: number }[]
  /** Of the counts of `patterns`. */
  readonly accuracy: Accuracy
  /** How far nulls of two columns go together, −1 to 1 (phi coefficient); of columns with some nulls, not all. */
  readonly correlations: ColumnPairs
}

/** What `profile` gives. */
export interface Profile {
  /** Of this shape. */
  readonly version: 1
  /** What was read. */
  readonly source: {
    /** What messages call it; without credentials. */
    readonly label: string
    /** The id of the format; null of what holds rows. */
    readonly format: string | null
    /** The ids of the codecs, outermost first. */
    readonly codecs: readonly string[]
    /** As stored, compressed where it is. */
    readonly bytesRead: number
    /** Bytes of the source in all; null where that is not known. */
    readonly bytesTotal: number | null
  }
  /** When it was made: ISO 8601. What counts as a future date is told by it. */
  readonly createdAt: string
  /** Milliseconds that it took. */
  readonly elapsedMs: number
  /** How much of the source the figures are about. */
  readonly scope: {
    /** Whether all rows were read. */
    readonly complete: boolean
    /** The same in a sentence. */
    readonly note: string
  }
  /** Rows that were read. */
  readonly rows: number
  /** Bad records that were left out by `onError`. */
  readonly rowsLeftOut: number
  /** About what the rows would take as JavaScript objects, in bytes. */
  readonly memoryBytes: number
  /** The columns, in order. */
  readonly columns: readonly ColumnProfile[]
  /** Columns beyond `maxColumns`, of which nothing is known; of records the least that it can be. */
  readonly columnsLeftOut: number
  /** Rows that are there already, value for value. */
  readonly duplicates: { readonly rows: number; readonly accuracy: Accuracy }
  /** Pearson's, of numeric columns; where there are two at least. */
  readonly correlations?: ColumnPairs
  /** Where there are nulls. */
  readonly missingness?: Missingness
}
