/** One error policy for all parts of a conversion: reader, steps and writer leave out so many records together. */
import {
  BadRecords,
  type DeadLetter,
  type ErrorDecision,
  type ErrorPolicy,
  type LetterWriter,
  tooManyErrors,
} from '../bad-records.ts'
import { openIterable, type WriteTarget } from '../open.ts'
import type { Writer } from '../writer.ts'
import type { ConvertOptions } from './options.ts'

export class ErrorBudget {
  /** What reader and writer are opened with. */
  readonly options: { onError?: ErrorPolicy; deadLetters?: Writer<DeadLetter> }
  /** What the steps report to. */
  readonly steps: BadRecords
  readonly #ownLetters: Writer<DeadLetter> | undefined

  constructor({ onError, maxErrors = Number.POSITIVE_INFINITY, deadLetters }: ConvertOptions) {
    const policy = onError ?? (deadLetters === undefined ? 'raise' : 'quarantine')
    let left = 0
    const decide: ErrorPolicy = (error, record) => {
      const decision: ErrorDecision = typeof policy === 'function' ? (policy(error, record) ?? 'skip') : policy
      if (decision !== 'raise' && ++left > maxErrors) throw tooManyErrors(maxErrors, error)
      return decision
    }
    this.#ownLetters =
      deadLetters === undefined || isWriter(deadLetters)
        ? undefined
        : openIterable<DeadLetter & object>(deadLetters, { mode: 'w' })
    const letters = this.#ownLetters ?? (deadLetters as Writer<DeadLetter> | undefined)
    // As it is, so that `quarantine` without a place for it is refused before anything is read.
    const shared: ErrorPolicy =
      policy === 'raise' || (policy === 'quarantine' && letters === undefined) ? policy : decide
    this.options = { onError: shared, ...(letters === undefined ? {} : { deadLetters: letters }) }
    this.steps = new BadRecords({ ...this.options }, target => target as LetterWriter)
  }

  /** Publishes the dead letters, if they are written here. */
  async close(): Promise<void> {
    await this.steps.settle()
    await this.#ownLetters?.close()
  }
}

export function isWriter(target: WriteTarget | Writer<DeadLetter>): target is Writer<DeadLetter> {
  return typeof (target as Partial<Writer<DeadLetter>>).writeBulk === 'function'
}
