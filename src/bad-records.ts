/** What becomes of records that cannot be read and rows that cannot be written: raised, skipped, or put aside. */
import { createError, OpenIterableError } from './core/errors.ts'
import { invalidOption } from './core/options.ts'
import type { FormatOptions } from './core/types.ts'

/** What to do with one bad record. */
export type ErrorDecision = 'raise' | 'skip' | 'quarantine'

/**
 * What to do with bad records: the same with all, or what a function says of each. The function is called at once and
 * must not wait; where it gives undefined the record is skipped, and what it throws ends the reading.
 */
export type ErrorPolicy = ErrorDecision | ((error: OpenIterableError, record: BadRecord) => ErrorDecision | undefined)

/** A bad record, beside its error. */
export interface BadRecord {
  /** Its text as it stands in the input, where the format can tell. */
  readonly raw: string | undefined
  /** The row that could not be written, on writing. */
  readonly row: unknown
}

/** A bad record as it is put aside: enough to find, mend and read it again. */
export interface DeadLetter {
  /** Where the record is from: a path or URL, without credentials; null where it has no name. */
  readonly label: string | null
  /** The code of the error, as in `ERRORS`; null where what was thrown has none. */
  readonly code: string | null
  /** The error's message, with the place and what to do next. */
  readonly message: string
  /** The physical line, from 1; null where the format has no lines. */
  readonly line: number | null
  /** The character (UTF-16 unit) in the line, from 1; null where it is not known. */
  readonly column: number | null
  /** The offset in the decoded bytes, from 0; null where it is not known. */
  readonly byte: number | null
  /** The record's number, from 1, a CSV header not counted; null where it is not known. */
  readonly record: number | null
  /** The text of the record as it stands in the source, or a row as JSON; null where there is neither. */
  readonly raw: string | null
}

/** What dead letters are written to: an open writer of the user's, or one that is made for the handle. */
export interface LetterWriter {
  writeBulk(letters: readonly DeadLetter[]): Promise<unknown>
  close(): Promise<void>
}

/** Letters that may wait to be written before reading waits for them. */
const MAX_WAITING_LETTERS = 100

/** The policy of one handle at work. */
export class BadRecords {
  /** Bad records left out. */
  skipped = 0
  /** Good records that the user's options leave out. */
  passedOver = 0
  /** Bad records that were put aside or raised their error. */
  failed = 0
  /** Bad records that were put aside. */
  quarantined = 0
  readonly #policy: ErrorPolicy
  readonly #maxErrors: number
  readonly #open: ((target: unknown) => LetterWriter) | undefined
  readonly #target: unknown
  #writer: LetterWriter | undefined
  #waiting: DeadLetter[] = []

  /** Throws OPTION_INVALID for options that contradict each other. `open` makes a writer of a target. */
  constructor(options: FormatOptions, open: (target: unknown) => LetterWriter) {
    const target = options.deadLetters
    this.#policy = (options.onError as ErrorPolicy | undefined) ?? (target === undefined ? 'raise' : 'quarantine')
    this.#maxErrors = (options.maxErrors as number | undefined) ?? Number.POSITIVE_INFINITY
    this.#target = target
    this.#open = target === undefined ? undefined : open
    if (this.#policy === 'quarantine' && target === undefined) throw missingTarget()
  }

  /** Whether a bad record may be left out. */
  get mayLeaveOut(): boolean {
    return this.#policy !== 'raise'
  }

  /** Takes a bad record. Returns when it is to be left out; throws when reading or writing is to stop. */
  take(error: Error, raw: string | undefined, row?: unknown): void {
    const policy = this.#policy
    // What is not of our making (a bug, an abort) is nothing that a policy is for.
    if (!(error instanceof OpenIterableError)) throw error
    const decision = typeof policy === 'function' ? this.#ask(policy, error, raw, row) : policy
    if (decision === 'raise') {
      this.failed++
      throw error
    }
    if (this.skipped + this.failed >= this.#maxErrors) {
      this.failed++
      throw tooManyErrors(this.#maxErrors, error)
    }
    if (decision === 'skip') {
      this.skipped++
      return
    }
    if (this.#open === undefined) throw missingTarget()
    this.failed++
    this.quarantined++
    this.#waiting.push(letterOf(error, raw ?? textOf(row)))
  }

  /** Whether so many letters wait that `settle` should be called before more are read. */
  get full(): boolean {
    return this.#waiting.length >= MAX_WAITING_LETTERS
  }

  /** Writes what waits. */
  async settle(): Promise<void> {
    if (this.#waiting.length === 0) return
    const letters = this.#waiting
    this.#waiting = []
    await this.#letters().writeBulk(letters)
  }

  /** Writes what waits, and publishes the letters, also where there are none; a writer of the user's stays open. */
  async close(): Promise<void> {
    if (this.#open === undefined) return
    await this.settle()
    if (!isWriter(this.#target)) await this.#letters().close()
  }

  #letters(): LetterWriter {
    this.#writer ??= isWriter(this.#target) ? this.#target : this.#open!(this.#target)
    return this.#writer
  }

  #ask(
    policy: Exclude<ErrorPolicy, string>,
    error: OpenIterableError,
    raw: string | undefined,
    row: unknown,
  ): ErrorDecision {
    try {
      return policy(error, { raw, row }) ?? 'skip'
    } catch (thrown) {
      this.failed++
      throw thrown
    }
  }
}

function isWriter(target: unknown): target is LetterWriter {
  return typeof (target as Partial<LetterWriter> | null)?.writeBulk === 'function'
}

/** The error for one bad record too many, which is `error`. */
export function tooManyErrors(maxErrors: number, error: OpenIterableError): Error {
  const { label, line, column, byte, record } = error
  return createError('TOO_MANY_ERRORS', `more than ${maxErrors} bad records`, {
    label,
    line,
    column,
    byte,
    record,
    cause: error,
    hint: `raise maxErrors, or look at the last of them: ${error.message}`,
  })
}

function missingTarget(): Error {
  return invalidOption(
    'deadLetters',
    "a target to write to, for onError: 'quarantine'",
    undefined,
    "as in { deadLetters: 'bad.jsonl' }",
  )
}

function letterOf(error: OpenIterableError, raw: string | null): DeadLetter {
  const { label = null, code, message, line = null, column = null, byte = null, record = null } = error
  return { label, code, message, line, column, byte, record, raw }
}

/** A row as text, as well as it goes: it may be bad for the very reason that it has no JSON form. */
function textOf(row: unknown): string | null {
  if (row === undefined) return null
  try {
    return JSON.stringify(row, (_, value) => (typeof value === 'bigint' ? String(value) : value)) ?? String(row)
  } catch {
    return String(row)
  }
}
