/** DuckDB's errors → ours. It tells their kind by the first words of the message and by nothing else. */
import { createError, type ErrorCode, type ErrorDetails, type OpenIterableError } from '../core/errors.ts'

/** What went wrong, by DuckDB's own word. */
export type DuckDbFailure =
  | 'interrupted'
  | 'memory'
  | 'fatal'
  | 'invalidated'
  | 'missing'
  | 'query'
  | 'value'
  | 'data'
  | 'other'

/** What kind of failure an error of DuckDB's is. */
export function failureOf(error: unknown): DuckDbFailure {
  const message = messageOf(error)
  // An instance that another query broke says so in every later answer.
  if (/because of a previous fatal error|has been invalidated/i.test(message)) return 'invalidated'
  if (/^(?:FATAL|INTERNAL) Error/i.test(message)) return 'fatal'
  if (/^Invalid Input Error: Values were not provided|Cannot prepare multiple statements/i.test(message)) return 'query'
  if (/^(?:Conversion|Out of Range|Mismatch Type) Error/i.test(message)) return 'value'
  if (/^INTERRUPT Error|^Interrupted/i.test(message)) return 'interrupted'
  if (/^Out of Memory Error|std::bad_alloc|Allocation failure/i.test(message)) return 'memory'
  if (
    /No files found that match|^IO Error: Cannot open file|does not exist/i.test(message) &&
    /^IO Error/.test(message)
  )
    return 'missing'
  if (
    /^(?:Parser|Binder|Catalog|Permission|Missing Extension|Parameter Not Resolved|Syntax|Not implemented) Error/i.test(
      message,
    )
  )
    return 'query'
  if (/^(?:Invalid Input|Invalid|IO|Serialization|TProtocolException) Error/i.test(message)) return 'data'
  if (/thrift|parquet|decompress|corrupt|magic bytes/i.test(message)) return 'data'
  return 'other'
}

const CODES: Readonly<Record<Exclude<DuckDbFailure, 'missing'>, ErrorCode>> = {
  interrupted: 'DUCKDB_FAILED',
  memory: 'DUCKDB_OUT_OF_MEMORY',
  fatal: 'DUCKDB_FAILED',
  invalidated: 'DUCKDB_FAILED',
  query: 'QUERY_INVALID',
  value: 'DUCKDB_FAILED',
  data: 'DUCKDB_FAILED',
  other: 'DUCKDB_FAILED',
}

/** What a query is for, so that its errors say so. */
export interface QueryPurpose {
  /** Names the place in messages. */
  readonly label?: string | undefined
  /** The code of an error that the data is to blame for. Default: DUCKDB_FAILED. */
  readonly dataCode?: ErrorCode | undefined
}

/** Our error for one of DuckDB's. An error that is ours already is given back as it is. */
export function duckDbError(error: unknown, { label, dataCode }: QueryPurpose = {}): Error {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string' && 'label' in error) return error
  const failure = failureOf(error)
  const details: ErrorDetails = { label, cause: error }
  if (failure === 'missing') return createError('SOURCE_NOT_FOUND', 'there is no such file', details)
  const said = sentenceOf(error)
  const code = dataCode !== undefined && (failure === 'data' || failure === 'fatal') ? dataCode : CODES[failure]
  return createError(code, said, {
    ...details,
    ...(failure === 'invalidated' ? { hint: 'another query broke the shared instance; read again' } : {}),
  }) as OpenIterableError
}

function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return message.replace(/^Failed to extract statements: /, '')
}

/** DuckDB's message on one line, without the statement and the advice that it appends. */
function sentenceOf(error: unknown): string {
  const message = messageOf(error)
  const [first = ''] = message.split(/\n\s*\n|\nLINE \d+:|\nPossible solutions|\nStack Trace/)
  const line = first.replace(/\s+/g, ' ').trim()
  return `DuckDB: ${line.length > 500 ? `${line.slice(0, 499)}…` : line}`
}
