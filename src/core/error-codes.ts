/**
 * Every error that this library raises, declared once. A code is stable: it is part of the API, and the list in the
 * docs is checked against this table.
 */

/** Which class of error a code belongs to. */
type Kind = 'option' | 'state' | 'source' | 'sink' | 'codec' | 'data' | 'limit'

export interface ErrorEntry {
  readonly kind: Kind
  /** What it means, for the docs. */
  readonly means: string
  /** What to do next; part of the message unless the error brings a hint of its own. */
  readonly hint?: string
}

/**
 * Every error that there is, by its code: of which class it is, and what it says to do next. `docs/errors.md` is made
 * of it.
 */
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
  RECORD_INVALID: {
    kind: 'data',
    means: 'A record is not what its format asks for, which is that of a plug-in.',
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
