/** The view of a source that gives UTF-8. */
import type { ChunkFeed } from './chunk-iterator.ts'
import type { TextDecoding } from './encoding-decoding.ts'
import { type ByteOrderMark, type Encoding, findByteOrderMark, parseEncoding, UTF_8 } from './encoding-names.ts'
import { createError } from './errors.ts'
import { SourceStreams } from './source-streams.ts'
import type { Abortable, ByteSource } from './types.ts'

export interface DecodeTextOptions {
  /** A label, or `'auto'`: what a byte order mark says, else UTF-8. */
  readonly encoding: string
  readonly onInvalid: 'raise' | 'replace'
  /** Names the place in messages. Default: the source's label. */
  readonly label?: string
}

/** The tables are loaded only for an input that is not UTF-8. */
export async function loadDecoding(
  encoding: Encoding,
  onInvalid: 'raise' | 'replace',
  label: string,
  offset: number,
): Promise<TextDecoding> {
  const { createDecoding } = await import('./encoding-decoders.ts')
  return createDecoding({ encoding, onInvalid, label, offset })
}

export class TextSource implements ByteSource {
  readonly label: string
  readonly replayable: boolean
  declare readonly random?: NonNullable<ByteSource['random']>
  declare readonly localPath?: string
  declare readonly size?: number
  readonly #source: ByteSource
  /** Undefined: as the byte order mark says. */
  readonly #named: Encoding | undefined
  readonly #options: DecodeTextOptions
  readonly #streams: SourceStreams

  constructor(source: ByteSource, options: DecodeTextOptions) {
    this.label = source.label
    this.replayable = source.replayable
    this.#source = source
    this.#options = options
    this.#streams = new SourceStreams(source.label, () => source[Symbol.asyncDispose]())
    this.#named = options.encoding === 'auto' ? undefined : parseEncoding(options.encoding)
    if (this.#named?.kind === 'utf-8') {
      if (source.random !== undefined) this.random = source.random
      if (source.localPath !== undefined) this.localPath = source.localPath
      if (source.size !== undefined) this.size = source.size
    }
  }

  stream({ signal }: Abortable = {}): AsyncIterableIterator<Uint8Array> {
    return this.#streams.add(() => new TextFeed(this.#source, this.#named, this.#options), signal)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#streams.dispose()
  }
}

const EMPTY = new Uint8Array(0)

/** One pass over a source: looks for the byte order mark, then passes on or decodes. */
class TextFeed implements ChunkFeed {
  readonly #named: Encoding | undefined
  readonly #onInvalid: 'raise' | 'replace'
  readonly #label: string
  readonly #input: AsyncIterator<Uint8Array>
  /** Calls off a read of the input that is under way. */
  readonly #abort = new AbortController()
  #begun = false
  #ended = false
  /** Read to see whether there is a byte order mark, and still to be given. */
  readonly #ahead: Uint8Array[] = []
  #decoding: TextDecoding | undefined

  constructor(source: ByteSource, named: Encoding | undefined, options: DecodeTextOptions) {
    this.#named = named
    this.#onInvalid = options.onInvalid
    this.#label = options.label ?? source.label
    this.#input = source.stream({ signal: this.#abort.signal })[Symbol.asyncIterator]()
  }

  async pull(): Promise<Uint8Array | null> {
    if (!this.#begun) await this.#begin()
    for (;;) {
      const decoding = this.#decoding
      if (decoding?.failure !== undefined) throw decoding.failure
      const chunk = this.#ahead.shift() ?? (await this.#next())
      if (decoding === undefined) return chunk
      const text = chunk === null ? decoding.flush() : decoding.decode(chunk)
      if (text.length > 0) return text
      if (chunk === null && decoding.failure === undefined) return null
    }
  }

  async stop(): Promise<void> {
    if (!this.#ended) {
      this.#abort.abort(createError('HANDLE_CLOSED', 'the reading was given up', { label: this.#label }))
    }
    // What the input fails with now concerns nobody.
    await Promise.resolve(this.#input.return?.()).catch(() => {})
  }

  async #next(): Promise<Uint8Array | null> {
    if (this.#ended) return null
    const step = await this.#input.next()
    if (step.done === true) this.#ended = true
    return step.done === true ? null : step.value
  }

  async #begin(): Promise<void> {
    let head: Uint8Array = EMPTY
    let mark: ByteOrderMark | undefined | null = null
    while (mark === null) {
      const chunk = await this.#next()
      if (head.length === 0) head = chunk ?? EMPTY
      else if (chunk !== null) head = Buffer.concat([head, chunk])
      mark = findByteOrderMark(head, chunk === null, this.#named)
      // Kept beyond the next chunk, so a copy; four bytes at most.
      if (mark === null) head = Uint8Array.from(head)
    }
    this.#begun = true
    const encoding = this.#encodingBy(mark?.encoding)
    const skipped = mark === undefined || encoding.kind === 'utf-8' ? 0 : mark.bytes.length
    if (encoding.kind !== 'utf-8') {
      this.#decoding = await loadDecoding(encoding, this.#onInvalid, this.#label, skipped)
    }
    if (head.length > skipped) this.#ahead.push(skipped === 0 ? head : head.subarray(skipped))
  }

  #encodingBy(marked: Encoding | undefined): Encoding {
    const named = this.#named
    if (marked === undefined || named === undefined) return marked ?? named ?? UTF_8
    if (marked.name === named.name || (named.anyOrder === true && marked.kind === named.kind)) return marked
    throw createError(
      'ENCODING_MISMATCH',
      `encoding is ${named.name}, but the input begins with the byte order mark of ${marked.name}`,
      {
        label: this.#label,
        byte: 0,
        expected: named.name,
        found: `the byte order mark of ${marked.name}`,
        hint: `read it with { encoding: '${marked.name}' }, or leave the encoding out`,
      },
    )
  }
}
