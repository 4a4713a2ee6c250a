/** What goes wrong with writing to a server, as errors of this library: which row, which column, which value. */
import { createError, type ErrorCode, excerpt, OpenIterableError } from '../../core/errors.ts'
import { type PostgresError, postgresError, serverError } from './errors.ts'
import type { RefusedKey } from './refused-key.ts'

export interface WritePlace {
  readonly label: string
  /** The statement that it is about, where it is not the rows themselves. */
  readonly sql?: string | undefined
  /** The record of line 1 of what was sent. */
  readonly firstRecord?: number | undefined
}

/** Classes of SQLSTATE that are about the row at hand, and that another row need not meet. */
const OF_ROWS = /^(?:21|22|23|44|54|P0)/

/** The server's error where it is one of a row: a value that is none of its type, a constraint, a trigger. */
export function rowError(error: unknown): PostgresError | undefined {
  const server = serverError(error)
  return server?.sqlState !== undefined && OF_ROWS.test(server.sqlState) ? server : undefined
}

/** What the server says of the place in COPY: the line from 1, the column, and the value or the whole line. */
export interface CopyPlace {
  readonly line: number
  readonly column: string | undefined
  readonly value: string | undefined
}

/** Finds `COPY people, line 3, column age: "x"` in the context of an error. */
export function copyPlaceOf(error: PostgresError): CopyPlace | undefined {
  const match = /^COPY .*?, line (\d+)(?:, column (.*?))?(?:: (null input|"(.*)"))?$/ms.exec(error.where ?? '')
  if (match === null) return undefined
  const [, line, column, rest, value] = match
  return { line: Number(line), column, value: value ?? (rest === undefined ? undefined : 'NULL') }
}

/** The error of a row that the server refused. `record` counts from 1; undefined where the server does not tell. */
export function refusedRow(
  error: PostgresError,
  label: string,
  record: number | undefined,
  key?: RefusedKey,
): OpenIterableError {
  const place = copyPlaceOf(error)
  // Of a constraint the server names what it is about, and the whole line is no value of a column.
  const column = key?.columns.join(', ') ?? place?.column ?? error.column
  const value =
    key?.values.map(part => part ?? 'NULL').join(', ') ?? (place?.column === undefined ? undefined : place.value)
  const where = [
    record === undefined ? undefined : `row ${record}`,
    column === undefined ? undefined : `column ${column}`,
    value === undefined ? undefined : `value ${excerpt(value, 100)}`,
  ].filter(part => part !== undefined)
  const { detail, sqlState, message, constraint } = error
  const why = `${message}${detail === undefined ? '' : `: ${excerptOf(detail)}`} (SQLSTATE ${sqlState})`
  return createError('ROW_REFUSED', `${where.length === 0 ? '' : `${where.join(', ')}: `}${why}`, {
    label,
    record,
    expected: constraint === undefined ? undefined : `what ${constraint} allows`,
    found: value ?? detail,
    hint: error.serverHint,
    cause: error,
  })
}

const excerptOf = (text: string) => (text.length > 300 ? `${text.slice(0, 299)}…` : text)

/** Codes of reading → those of writing. */
const OF_SINKS: Partial<Record<ErrorCode, ErrorCode>> = {
  SOURCE_NOT_FOUND: 'SINK_NOT_FOUND',
  SOURCE_DENIED: 'SINK_DENIED',
  SOURCE_FAILED: 'SINK_FAILED',
  QUERY_FAILED: 'SINK_FAILED',
}

/** The error for whatever came of writing. Aborts, and errors that are about writing already, stay as they are. */
export function writeError(error: unknown, { label, sql, firstRecord }: WritePlace): unknown {
  const refused = rowError(error)
  if (refused !== undefined) {
    const line = copyPlaceOf(refused)?.line
    const record = line === undefined || firstRecord === undefined ? undefined : firstRecord + line - 1
    return refusedRow(refused, label, record)
  }
  const known = postgresError(error, { label, sql })
  if (!(known instanceof OpenIterableError)) return known
  const server = serverError(known.cause)
  if (server?.sqlState === '53100') return again(known, 'SINK_FULL')
  if (server?.sqlState === '42P01')
    return again(known, 'SINK_NOT_FOUND', 'make it first, or write with { create: true }')
  const code = OF_SINKS[known.code]
  return code === undefined ? known : again(known, code)
}

function again(error: OpenIterableError, code: ErrorCode, hint = error.hint): OpenIterableError {
  const { label, line, column, expected, found, message } = error
  const start = message.indexOf(`[${error.code}] `) + error.code.length + 3
  const end = error.hint === undefined ? message.length : message.lastIndexOf(`; ${error.hint}`)
  return createError(code, message.slice(start, end), {
    label,
    line,
    column,
    expected,
    found,
    hint,
    cause: error.cause,
  })
}
