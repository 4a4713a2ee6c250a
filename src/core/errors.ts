/**
 * Every error that this library raises, declared once. A code is stable: it is part of the API, and the list in the
 * docs is checked against this table.
 */

type Kind = 'option' | 'state' | 'source' | 'sink' | 'codec' | 'data' | 'limit'

interface ErrorEntry {
  readonly kind: Kind
  /** What it means, for the docs. */
  readonly means: string
  /** What to do next; part of the message unless the error brings a hint of its own. */
  readonly hint?: string
}

export const ERRORS = {
  OPTION_UNKNOWN: { kind: 'option', means: 'An option that nothing here takes; the message names the nearest one.' },
  OPTION_INVALID: { kind: 'option', means: 'An option has a value that it cannot have.' },
  TARGET_UNSUPPORTED: { kind: 'option', means: 'Nothing here opens a target of this kind.' },
  FORMAT_UNKNOWN: {
    kind: 'option',
    means: 'The format is neither given nor to be seen from the name.',
    hint: "name it: { format: 'csv' }",
  },
  FORMAT_UNSUPPORTED: { kind: 'option', means: 'The format cannot be read, or cannot be written.' },
  CODEC_UNKNOWN: { kind: 'option', means: 'No codec has this name.' },
  PLUGIN_INVALID: {
    kind: 'option',
    means: 'A plug-in that is registered is not whole, or takes a name that is taken.',
  },
  PEER_MISSING: {
    kind: 'option',
    means:
      'What was asked for needs an optional package that is not installed; the message has the line that installs it.',
  },

  HANDLE_CLOSED: {
    kind: 'state',
    means: 'The handle was closed, or its loop was left; it gives no more rows and takes none.',
    hint: 'open the target again, or call reset() where the source can be replayed',
  },
  HANDLE_CONSUMED: {
    kind: 'state',
    means: 'The rows were all read; a second loop over the same handle would silently be empty.',
    hint: 'open the target again, or call reset() where the source can be replayed',
  },
  HANDLE_BUSY: {
    kind: 'state',
    means: 'A second loop over a handle whose first has not ended: the two would share the rows between them.',
    hint: 'open the target once for each loop',
  },
  NOT_REPLAYABLE: { kind: 'state', means: "reset(), or scan: 'full', of a source that can be read only once." },
  WRITER_FAILED: {
    kind: 'state',
    means: 'close() of a writer that an earlier call has failed on; nothing is published. `cause` has the failure.',
  },

  SOURCE_NOT_FOUND: { kind: 'source', means: 'There is nothing at the place to read.' },
  SOURCE_DENIED: { kind: 'source', means: 'The place may not be read.' },
  SPOOL_LIMIT_EXCEEDED: {
    kind: 'source',
    means: 'Input that has to be copied to a temp file to be read is larger than `maxSpoolBytes` allows.',
    hint: 'raise maxSpoolBytes, or read from a place that can be read at any offset, such as a local file',
  },
  SOURCE_FAILED: { kind: 'source', means: 'Reading the place failed; `cause` has the reason.' },
  SOURCE_CHANGED: {
    kind: 'source',
    means: 'What was read was replaced by something else before it was read to its end.',
    hint: 'open it again: what was read so far is of a version that is no longer there',
  },
  SOURCE_CORRUPT: {
    kind: 'source',
    means: 'The bytes that arrived are not those that were stored: a checksum or a length does not agree.',
    hint: 'the rows already read may be wrong too: read it again',
  },
  SOURCE_END_UNKNOWN: {
    kind: 'source',
    means: 'The bytes ended because the connection did, and nothing says whether that was all of them.',
    hint: 'if the server never says how much it sends, read with { allowUnknownEnd: true }',
  },
  CREDENTIALS_MISSING: { kind: 'option', means: 'A place asks who is there, and no credentials were found.' },
  SINK_NOT_FOUND: { kind: 'sink', means: 'The folder to write into does not exist.', hint: 'create the folder first' },
  SINK_DENIED: { kind: 'sink', means: 'The place may not be written.' },
  SINK_FULL: { kind: 'sink', means: 'No space is left, or a quota or file size limit is reached.' },
  SINK_CLOSED: { kind: 'sink', means: 'The reader of the pipe or stream that is written to has gone away.' },
  SINK_EXISTS: {
    kind: 'sink',
    means:
      "There is something at the place already, and it was asked not to overwrite it ({ s3: { ifNoneMatch: '*' } }).",
  },
  SINK_CHANGED: {
    kind: 'sink',
    means: 'What was to be overwritten is no longer what it was ({ s3: { ifMatch } }); nothing was written.',
    hint: 'read it again, and write what is to follow from that',
  },
  SINK_FAILED: { kind: 'sink', means: 'Writing to the place failed; `cause` has the reason.' },

  CODEC_TRUNCATED: {
    kind: 'codec',
    means: 'Compressed input ends in the middle of a member.',
    hint: 'the file was cut short: fetch or copy it again',
  },
  CODEC_CORRUPT: { kind: 'codec', means: 'Compressed input is damaged, or is not in this compression at all.' },
  CODEC_TRAILING_DATA: {
    kind: 'codec',
    means: 'After the last compressed member there is something that is not another one.',
  },
  CODEC_LIMIT_EXCEEDED: {
    kind: 'codec',
    means: 'Compressed input decodes to more than `maxDecodedBytes` or `maxRatio` allow, or needs too much memory.',
  },
  CODEC_UNSUPPORTED: {
    kind: 'codec',
    means: 'Compressed input uses a feature that is not supported: encryption, a dictionary, another method.',
  },
  MEMBER_NOT_FOUND: { kind: 'codec', means: 'An archive has no member of the name or pattern; the message lists it.' },
  MEMBER_AMBIGUOUS: {
    kind: 'codec',
    means: 'An archive has several members and it is not said which one is meant; the message lists them.',
  },

  TEXT_INVALID_UTF8: {
    kind: 'data',
    means: 'A byte sequence that is not UTF-8.',
    hint: "re-encode the file, or read it with { encodingErrors: 'replace' }",
  },
  TEXT_INVALID_ENCODING: {
    kind: 'data',
    means: 'A byte sequence that does not exist in the encoding that is read; `byte` counts bytes of that encoding.',
    hint: "name the encoding that the file is in ({ encoding: … }), or read it with { encodingErrors: 'replace' }",
  },
  TEXT_UNMAPPABLE: {
    kind: 'data',
    means: 'A character to write that the encoding does not have.',
    hint: "write in utf-8, or with { encodingErrors: 'replace' } to have ? in its place",
  },
  ENCODING_MISMATCH: {
    kind: 'data',
    means: 'The input begins with the byte order mark of another encoding than the one that was named.',
  },
  RECORD_TOO_LARGE: {
    kind: 'data',
    means: 'One record is larger than `maxRecordBytes`.',
    hint: 'raise maxRecordBytes if the record is meant to be this large; an unclosed quote also looks like this',
  },
  CSV_RAGGED_RECORD: {
    kind: 'data',
    means: 'A record has more or fewer fields than the header (or, without one, than the first record).',
    hint: 'mend the record, or read with { relax: true }',
  },
  CSV_STRAY_QUOTE: {
    kind: 'data',
    means: 'A quote inside a field that did not begin with one.',
    hint: 'mend the record, read with { relax: true }, or turn quoting off with { quote: null }',
  },
  CSV_TEXT_AFTER_QUOTE: {
    kind: 'data',
    means: 'Text between a closing quote and the next delimiter or line end.',
    hint: 'a quote inside a quoted field is written twice; mend the record, or read with { relax: true }',
  },
  CSV_QUOTE_NOT_CLOSED: {
    kind: 'data',
    means: 'The input ends inside a quoted field.',
    hint: 'close the quote, or turn quoting off with { quote: null }',
  },
  CSV_DUPLICATE_COLUMN: { kind: 'data', means: "A column name occurs twice, with { duplicateColumns: 'error' }." },
  CSV_EMPTY_COLUMN: { kind: 'data', means: "A column has no name, with { duplicateColumns: 'error' }." },
  CSV_HEADER_MISSING: {
    kind: 'data',
    means: 'The input ends before its header does.',
    hint: "give the columns ({ header: ['a', 'b'] }) or read without one ({ header: false })",
  },
  CSV_UNKNOWN_COLUMN: {
    kind: 'data',
    means: 'A row to write has a column that the output does not.',
    hint: "name all columns up front ({ columns: [...] }), or drop the others ({ extraColumns: 'drop' })",
  },
  CSV_UNWRITABLE: {
    kind: 'data',
    means: 'A row or a value cannot be written in this dialect so that it is read back as it is.',
  },
  CSV_APPEND_MISMATCH: {
    kind: 'data',
    means: 'The rows to append do not have the columns that the file has.',
  },
  CSV_PEER_FAILED: { kind: 'data', means: 'csv-parse or csv-stringify refused the input; `cause` has its error.' },
  JSON_INVALID: { kind: 'data', means: 'A line, or a document, is not valid JSON.' },
  JSON_NOT_A_ROW: {
    kind: 'data',
    means: 'A line or an element is a number, a text, true, false or null instead of an object or an array.',
    hint: "read with { wrapValues: 'value' } to get { value: … }",
  },
  JSON_POINTER_NOT_FOUND: { kind: 'data', means: 'A document has no rows where `pointer` leads.' },
  JSON_POINTER_AMBIGUOUS: {
    kind: 'data',
    means: 'A key on the way of `pointer` occurs twice; the rows of the first one were read.',
  },
  JSON_UNSAFE_INTEGER: { kind: 'data', means: "An integer beyond ±(2^53 − 1), with { bigint: 'error' }." },
  JSON_UNWRITABLE: {
    kind: 'data',
    means: 'A row has a value that has no JSON form: a circle, a function, a symbol, a Map, …',
  },
  VALUE_TYPE_MISMATCH: {
    kind: 'data',
    means: 'A value is not of the type that `types` declares for its column (or, on reading, that was inferred).',
    hint: "mend the record, declare another type for the column, or make it 'text'",
  },
  SCHEMA_INVALID: {
    kind: 'data',
    means: 'A row is not what the `schema` asks for; the message has the paths.',
  },
  TOO_MANY_ERRORS: { kind: 'data', means: 'More bad records than `maxErrors`; `cause` is the error of the last one.' },
  FIXED_RECORD_SHORT: {
    kind: 'data',
    means: 'A line of fixed-width text ends before its last field begins.',
    hint: 'mend the line, or read with { relax: true }',
  },
  FIXED_RECORD_LONG: {
    kind: 'data',
    means: 'A line of fixed-width text has text behind its last column.',
    hint: 'mend the line or the widths, or read with { relax: true }',
  },
  FIXED_MISALIGNED: {
    kind: 'data',
    means: 'A line has text between two columns that were guessed from the lines before it.',
    hint: 'say where the columns are ({ fields: [...] } or { widths: [...] })',
  },
  FIXED_HEADER_INVALID: {
    kind: 'data',
    means: 'The names of the columns are not as many as the columns, are not unique, or are not those of `fields`.',
    hint: 'say where the columns are ({ fields: [...] }), or give the names ({ header: [...] })',
  },
  FIXED_UNWRITABLE: { kind: 'data', means: 'A row or a value does not fit into the columns of fixed-width text.' },
  PARQUET_CORRUPT: {
    kind: 'data',
    means: 'A Parquet file is damaged or cut short, or is none.',
    hint: 'fetch or copy the file again',
  },
  PARQUET_UNSUPPORTED: {
    kind: 'data',
    means: 'A Parquet file uses a feature that is not supported, such as encryption.',
  },
  ARROW_CORRUPT: {
    kind: 'data',
    means: 'Arrow IPC input is damaged or cut short, or is none.',
    hint: 'fetch or copy it again',
  },
  PARQUET_UNWRITABLE: {
    kind: 'data',
    means: 'A row or a value has no form in Parquet: a function, half of a surrogate pair, no column at all, …',
  },
  DUCKDB_OUT_OF_MEMORY: {
    kind: 'data',
    means: 'A query, or a file, needs more memory or more temp files than DuckDB may use.',
    hint: 'raise the limit if this is meant to be ({ duckdb: { memoryLimitBytes: … } })',
  },
  DUCKDB_FAILED: { kind: 'data', means: 'DuckDB could not do what it was asked for; `cause` has its error.' },
  QUERY_INVALID: {
    kind: 'option',
    means: 'A condition or a query is not SQL that DuckDB or the server takes, or names no column.',
  },
  QUERY_FAILED: {
    kind: 'source',
    means: 'A server took a query and could not answer it to the end; `cause` has its error, with its SQLSTATE.',
  },
  DIFF_KEY_REPEATED: {
    kind: 'data',
    means: 'Two rows of one side of a comparison have the same key.',
    hint: 'name more columns as the key, or compare whole rows without one',
  },
  ROW_REFUSED: {
    kind: 'data',
    means: 'A server refused a row: a value is none of its column, or a constraint or a trigger does not allow it.',
  },
  COLUMN_MISMATCH: {
    kind: 'data',
    means: 'Rows to write do not have the columns that the table has; the message names the nearest.',
  },
  POSTGRES_UNWRITABLE: {
    kind: 'data',
    means:
      'A value has no form in Postgres: a zero character, half of a surrogate pair, an invalid date, a function, …',
  },
  ROW_INVALID: { kind: 'data', means: 'What was to be written is not a row: neither an object nor an array.' },
  OUTPUT_COLLISION: {
    kind: 'option',
    means: 'Two conversions would write one output, or one would overwrite a source.',
  },
  OUTPUT_UNSAFE: { kind: 'option', means: "A source's name would lead its output out of the folder of the template." },
  BULK_FAILED: {
    kind: 'state',
    means: 'Some of many conversions failed; `cause` has the first error, `summary` all of it.',
  },
  CONVERT_ENGINE_UNFIT: {
    kind: 'option',
    means: 'The engine that was asked for would not give what is promised; the message says why.',
  },
  CONVERT_THREAD_DIED: { kind: 'state', means: 'A thread that converted ended before its conversion was done.' },
  ROW_NESTING: {
    kind: 'data',
    means: 'A row cannot be flattened or unflattened: two of its values would be in one place.',
  },
  STAGE_FAILED: { kind: 'data', means: 'A stage of a pipeline threw on a row; `cause` has what it threw.' },

  TIMEOUT: {
    kind: 'limit',
    means: 'An operation took longer than its time limit, or the other side fell silent for that long.',
  },
  CIRCUIT_OPEN: {
    kind: 'limit',
    means: 'A call was not made, as the calls before it failed and the circuit breaker is open.',
    hint: 'wait until the place answers again; the message says when it is tried next',
  },
  POOL_EXHAUSTED: { kind: 'limit', means: 'No resource of a pool became free within its acquire timeout.' },
  POOL_CLOSED: { kind: 'state', means: 'A resource was asked of a pool that is disposed.' },
  RUNNER_CLOSED: { kind: 'state', means: 'A task was given to a runner, or a scope of tasks, that is disposed.' },
} as const satisfies Record<string, ErrorEntry>

/** The stable codes. */
export type ErrorCode = keyof typeof ERRORS

/** Where, and what instead of what. Lines, columns and records count from 1; bytes from 0, after decompression. */
export interface ErrorDetails {
  /** The place: a path or URL, without credentials. */
  readonly label?: string | undefined
  /** Physical line, also after fields that hold line breaks. */
  readonly line?: number | undefined
  /** Character (UTF-16 unit) in the line. */
  readonly column?: number | undefined
  /** Offset in the decoded bytes. */
  readonly byte?: number | undefined
  /** The record's number; a CSV header is not counted. */
  readonly record?: number | undefined
  readonly expected?: string | undefined
  readonly found?: string | undefined
  /** What to do next. */
  readonly hint?: string | undefined
  readonly cause?: unknown
}

/** The base of all errors of this library: `code`, the place, expected and found, what to do next, and a `cause`. */
export class OpenIterableError extends Error {
  readonly code: ErrorCode
  readonly label: string | undefined
  readonly line: number | undefined
  readonly column: number | undefined
  readonly byte: number | undefined
  readonly record: number | undefined
  readonly expected: string | undefined
  readonly found: string | undefined
  readonly hint: string | undefined

  constructor(code: ErrorCode, summary: string, details: ErrorDetails = {}) {
    const entry: ErrorEntry = ERRORS[code]
    const hint = details.hint ?? entry.hint
    const label = details.label === undefined ? undefined : redact(details.label)
    const place = [label, details.line, details.line === undefined ? undefined : details.column]
      .filter(part => part !== undefined)
      .join(':')
    super(
      `${place === '' ? '' : `${place} `}[${code}] ${summary}${hint === undefined ? '' : `; ${hint}`}`,
      details.cause === undefined ? undefined : { cause: details.cause },
    )
    this.code = code
    this.label = label
    this.line = details.line
    this.column = details.column
    this.byte = details.byte
    this.record = details.record
    this.expected = details.expected
    this.found = details.found
    this.hint = hint
  }
}
// On the prototype, so that `name` is not printed as a field of each error.
Object.defineProperty(OpenIterableError.prototype, 'name', { value: 'OpenIterableError', configurable: true })

/** Wrong use: an option or a target that cannot be. Raised before anything is opened. */
export class OptionError extends OpenIterableError {}
/** A call that the handle's state does not allow. */
export class StateError extends OpenIterableError {}
/** A place could not be read. */
export class SourceError extends OpenIterableError {}
/** A place could not be written. */
export class SinkError extends OpenIterableError {}
/** Compressed data is cut short or damaged. */
export class CodecError extends OpenIterableError {}
/** A record could not become a row, or a row could not become a record. */
export class DataError extends OpenIterableError {}
/** Waiting was given up: a time limit, an open circuit, a pool without a free resource. */
export class LimitError extends OpenIterableError {}

for (const type of [OptionError, StateError, SourceError, SinkError, CodecError, DataError, LimitError]) {
  Object.defineProperty(type.prototype, 'name', { value: type.name, configurable: true })
}

const CLASSES = {
  option: OptionError,
  state: StateError,
  source: SourceError,
  sink: SinkError,
  codec: CodecError,
  data: DataError,
  limit: LimitError,
} as const

type ClassOf<C extends ErrorCode> = InstanceType<(typeof CLASSES)[(typeof ERRORS)[C]['kind']]>

/** Makes the error of a code, of the class that the code belongs to. `summary` says what happened, without the place. */
export function createError<C extends ErrorCode>(code: C, summary: string, details?: ErrorDetails): ClassOf<C> {
  return new CLASSES[ERRORS[code].kind](code, summary, details) as ClassOf<C>
}

/** Takes user, password and the values of query parameters out of anything that looks like a URL. */
export function redact(label: string): string {
  if (!label.includes('://')) return label
  return label.replace(/^([a-z][a-z0-9+.-]*:\/\/)(?:[^/?#]*@)?/i, '$1').replace(/([?&][^=&#]+=)[^&#]*/g, '$1…')
}

/** A value for a message: short, on one line. */
export function excerpt(value: unknown, max = 60): string {
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value)
  return text.length > max ? `${text.slice(0, max - 1)}…` : text
}

/** The candidate nearest to what was written, if any is near enough to be meant. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined
  let bestDistance = Math.max(2, Math.floor(word.length / 3)) + 1
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase(), bestDistance)
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const current = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1
      current[j] = Math.min(previous[j]! + 1, current[j - 1]! + 1, previous[j - 1]! + same)
    }
    previous = current
  }
  return previous[b.length]!
}
