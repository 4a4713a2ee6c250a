/** The rows of several files or objects, one after the other. */
import { createError } from './core/errors.ts'
import type { Schema } from './core/schema.ts'
import type { Batch, FormatOptions, ListedTarget, Place, ReadContext, RowReader } from './core/types.ts'
import type { OpenedReader } from './opening.ts'
import { type Resolution, resolveTarget } from './resolve.ts'

/** Opens one of the targets. */
export type OpenTarget = (resolution: Resolution, context: ReadContext) => Promise<OpenedReader>

/**
 * Whether a target is a pattern: it is said to be one, or nothing of its very name exists. Throws TARGET_UNSUPPORTED where
 * it is said of a place that has no patterns.
 */
export async function isPattern(
  { target, given, entry, label }: Resolution,
  place: Place,
  placeOptions: FormatOptions,
  signal: AbortSignal,
): Promise<boolean> {
  if (place.list === undefined) {
    if (given.glob !== true) return false
    throw createError('TARGET_UNSUPPORTED', `a pattern of a target of this kind means nothing: ${entry.title}`, {
      label,
    })
  }
  if (given.glob === true) return true
  for await (const _ of place.list(target, { signal, options: placeOptions, glob: false })) return false
  return true
}

/**
 * Opens all targets that a pattern means. Each is read by itself, as its own name says and with its own header; `columns`
 * are those of the first. Listing goes on while rows are read. Throws SOURCE_NOT_FOUND where the pattern means nothing.
 */
export async function openListed(
  resolution: Resolution,
  place: Place,
  placeOptions: FormatOptions,
  context: ReadContext,
  open: OpenTarget,
): Promise<OpenedReader> {
  const { target, label, given } = resolution
  const listing = place.list!(target, { signal: context.signal, options: placeOptions, glob: true })
  const sequence = new FileSequence(listing[Symbol.asyncIterator](), given, context, open)
  try {
    const first = await sequence.next()
    if (first !== undefined) return { ...first, reader: sequence, replayable: true, bytesTotal: undefined }
  } catch (error) {
    await sequence[Symbol.asyncDispose]()
    throw error
  }
  throw createError('SOURCE_NOT_FOUND', 'nothing matches the pattern', {
    label,
    expected: 'a file or object that matches',
    found: 'none',
    hint: 'if the name is meant as it stands, read it with { glob: false }',
  })
}

class FileSequence implements RowReader {
  readonly #listing: AsyncIterator<ListedTarget>
  readonly #given: FormatOptions
  readonly #context: ReadContext
  readonly #open: OpenTarget
  #reader: RowReader | undefined
  #columns: readonly string[] | undefined
  #schema: Schema | undefined
  #engine: string | undefined

  constructor(listing: AsyncIterator<ListedTarget>, given: FormatOptions, context: ReadContext, open: OpenTarget) {
    this.#listing = listing
    this.#given = given
    this.#context = context
    this.#open = open
  }

  get columns(): readonly string[] | undefined {
    return this.#columns
  }
  /** Of the file that is read, or of the last one. */
  get schema(): Schema | undefined {
    return this.#reader?.schema ?? this.#schema
  }
  get engine(): string | undefined {
    return this.#reader?.engine ?? this.#engine
  }

  /** Opens the next target. */
  async next(): Promise<OpenedReader | undefined> {
    const step = await this.#listing.next()
    if (step.done === true) return undefined
    const { target, name } = step.value
    const one = resolveTarget(target, { ...this.#given, glob: false }, 'read')
    const opened = await this.#open(one, { ...this.#context, label: name })
    this.#reader = opened.reader
    this.#columns ??= opened.reader.columns
    return opened
  }

  async read(): Promise<Batch | null> {
    for (;;) {
      const batch = (await this.#reader?.read()) ?? null
      if (batch !== null) return batch
      const done = this.#reader
      this.#schema = done?.schema
      this.#engine = done?.engine
      this.#reader = undefined
      await done?.[Symbol.asyncDispose]()
      if ((await this.next()) === undefined) return null
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const reader = this.#reader
    this.#reader = undefined
    await Promise.all([reader?.[Symbol.asyncDispose](), this.#listing.return?.()])
  }
}
