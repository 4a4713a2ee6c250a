/** The rows of several members of an archive, one after the other. */
import { createError } from './core/errors.ts'
import type { ArchiveMember, Batch, ReadContext, RowReader } from './core/types.ts'
import { membersOf } from './members.ts'
import type { OpenedReader } from './opening.ts'
import type { Resolution } from './resolve.ts'

/** Opens one member. */
export type OpenMember = (resolution: Resolution, context: ReadContext) => Promise<OpenedReader>

/**
 * Opens the members that `member` means, all of them without it. Each is read by itself, with its own header, so that
 * none is taken for a row; `columns` are those of the first.
 */
export async function openMembers(
  resolution: Resolution,
  context: ReadContext,
  open: OpenMember,
): Promise<OpenedReader> {
  const { member } = resolution.given as { member?: string }
  const members = await membersOf(resolution, member, context.signal)
  const sequence = new MemberSequence(members, resolution, context, open)
  const first = await sequence.next()
  if (first === undefined) {
    throw createError('MEMBER_NOT_FOUND', 'the archive has no such members', {
      label: resolution.label,
      expected: member ?? 'files',
      found: 'none',
    })
  }
  return { ...first, reader: sequence }
}

class MemberSequence implements RowReader {
  readonly #left: ArchiveMember[]
  readonly #resolution: Resolution
  readonly #context: ReadContext
  readonly #open: OpenMember
  #reader: RowReader | undefined
  #columns: readonly string[] | undefined

  constructor(members: readonly ArchiveMember[], resolution: Resolution, context: ReadContext, open: OpenMember) {
    this.#left = [...members]
    this.#resolution = resolution
    this.#context = context
    this.#open = open
  }

  get columns(): readonly string[] | undefined {
    return this.#columns
  }
  get engine(): string | undefined {
    return this.#reader?.engine
  }

  /** Opens the next member. */
  async next(): Promise<OpenedReader | undefined> {
    const member = this.#left.shift()
    if (member === undefined) return undefined
    const { label, given, options } = this.#resolution
    const one = { member: member.name, members: 'one' }
    const opened = await this.#open(
      { ...this.#resolution, given: { ...given, ...one }, options: { ...options, ...one } },
      { ...this.#context, label: `${label}/${member.name}` },
    )
    this.#reader = opened.reader
    this.#columns ??= opened.reader.columns
    return opened
  }

  async read(): Promise<Batch | null> {
    for (;;) {
      const batch = (await this.#reader?.read()) ?? null
      if (batch !== null) return batch
      await this.#reader?.[Symbol.asyncDispose]()
      this.#reader = undefined
      if ((await this.next()) === undefined) return null
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#left.length = 0
    await this.#reader?.[Symbol.asyncDispose]()
  }
}
