/** What goes wrong with a server, as errors of this library: the SQLSTATE, the place in the SQL, and what to do next. */
import { createError, type ErrorCode, excerpt, OpenIterableError } from '../../core/errors.ts'
import { isTransient } from '../../resilience/transient.ts'

/** What a server says of an error, field by field: the `cause` of the errors of this library. */
export class PostgresError extends Error {
  /** SQLSTATE, five characters; undefined where the server gives none. */
  readonly sqlState: string | undefined
  readonly severity: string | undefined
  readonly detail: string | undefined
  readonly serverHint: string | undefined
  /** The character in the SQL, from 1. */
  readonly position: number | undefined
  readonly where: string | undefined
  readonly schema: string | undefined
  readonly table: string | undefined
  readonly column: string | undefined
  readonly constraint: string | undefined

  /** @param fields By the letters of the protocol. */
  constructor(fields: Readonly<Record<string, string | undefined>>) {
    super(fields.M ?? 'the server gave no message')
    this.sqlState = fields.C
    this.severity = fields.V ?? fields.S
    this.detail = fields.D
    this.serverHint = fields.H
    this.position = fields.P === undefined ? undefined : Number(fields.P)
    this.where = fields.W
    this.schema = fields.s
    this.table = fields.t
    this.column = fields.c
    this.constraint = fields.n
  }
}
Object.defineProperty(PostgresError.prototype, 'name', { value: 'PostgresError', configurable: true })

/** The letters of the protocol, by the names that the driver gives to its errors' fields. */
const DRIVER_FIELDS = {
  S: 'severity',
  C: 'code',
  D: 'detail',
  H: 'hint',
  P: 'position',
  W: 'where',
  s: 'schema',
  t: 'table',
  c: 'column',
  n: 'constraint',
} as const

/** The server's error, also where the driver has put it into one of its own; undefined for what is not the server's. */
export function serverError(error: unknown): PostgresError | undefined {
  if (error instanceof PostgresError) return error
  if (!(error instanceof Error) || !('severity' in error)) return undefined
  const given = error as unknown as Record<string, unknown>
  const fields: Record<string, string> = { M: error.message }
  for (const [letter, name] of Object.entries(DRIVER_FIELDS)) {
    if (typeof given[name] === 'string') fields[letter] = given[name]
  }
  return new PostgresError(fields)
}

/** The SQLSTATE of the server's error that is in `error` or its causes. */
export function sqlStateOf(error: unknown): string | undefined {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 8; cause = cause.cause, depth++) {
    const state = serverError(cause)?.sqlState
    if (state !== undefined) return state
  }
  return undefined
}

/** 57P03: the server is starting up; 53300: it has too many connections; class 08: the connection failed. */
const TRANSIENT_AT_CONNECT = /^(?:57P0[123]|53300|08\d\d\d)$/
/** Of the driver, which gives these no code. */
const LOST = /^(?:Connection terminated|timeout expired)/

/** Whether connecting may succeed the next time. To be asked only where no statement was sent yet. */
export function isTransientAtConnect(error: unknown): boolean {
  const state = sqlStateOf(error)
  if (state !== undefined) return TRANSIENT_AT_CONNECT.test(state)
  return isTransient(error) || (error instanceof Error && LOST.test(error.message))
}

/** Where an error belongs. */
export interface ErrorPlace {
  readonly label: string
  /** The statement that it is about. */
  readonly sql?: string | undefined
}

/** The error for whatever came of talking to the server. Errors of this library, and aborts, stay as they are. */
export function postgresError(error: unknown, { label, sql }: ErrorPlace): unknown {
  if (error instanceof OpenIterableError) return error
  const server = serverError(error)
  if (server !== undefined) return fromServer(server, label, sql)
  if (!(error instanceof Error)) return error
  const code = (error as { code?: unknown }).code
  const why = LOST.test(error.message)
    ? 'the server closed the connection'
    : `${error.message}${typeof code === 'string' && !error.message.includes(code) ? ` (${code})` : ''}`
  return createError('SOURCE_FAILED', why, { label, cause: error })
}

function fromServer(error: PostgresError, label: string, sql: string | undefined): OpenIterableError {
  const { sqlState, message, detail, serverHint, position } = error
  const state = sqlState === undefined ? '' : ` (SQLSTATE ${sqlState})`
  const summary = `${message}${detail === undefined ? '' : `: ${detail}`}${state}`
  const place = sql === undefined || position === undefined ? {} : placeIn(sql, position)
  return createError(codeOf(sqlState), summary, {
    label,
    ...place,
    found: sql === undefined ? undefined : excerpt(sql.trim().replace(/\s+/g, ' '), 200),
    hint: serverHint ?? hintOf(sqlState),
    cause: error,
  })
}

/** Line and column, from 1, of a position that counts code points. */
function placeIn(sql: string, position: number): { line: number; column: number } {
  const before = [...sql].slice(0, position - 1).join('')
  return { line: before.split('\n').length, column: before.length - before.lastIndexOf('\n') }
}

function codeOf(state: string | undefined): ErrorCode {
  if (state === undefined) return 'QUERY_FAILED'
  if (state === '42P01' || state === '3D000' || state === '3F000') return 'SOURCE_NOT_FOUND'
  if (state === '42501' || state.startsWith('28')) return 'SOURCE_DENIED'
  if (state.startsWith('42')) return 'QUERY_INVALID'
  if (/^(?:08|53|57P|58)/.test(state)) return 'SOURCE_FAILED'
  return 'QUERY_FAILED'
}

function hintOf(state: string | undefined): string | undefined {
  switch (state) {
    case '25006':
      return 'reading is done in BEGIN READ ONLY; for a statement that writes, say { readOnly: false }'
    case '53300':
      return 'the server has no connection free: lower poolSize, or raise max_connections of the server'
    case '57014':
      return 'the query was cancelled, or ran into statement_timeout of the server'
    case '42P01':
      return "name the schema too if it is not in the search path ({ table: 'schema.table' })"
    default:
      return undefined
  }
}
