/** Looking at the beginning of a source without taking it away. */
import { pull } from './chunks.ts'
import { createError } from './errors.ts'
import type { Abortable, ByteSource } from './types.ts'

/** What a peek has seen, and the source that is to be read in place of the one that was peeked into. */
export interface Peeked {
  /** The first bytes. A copy. */
  readonly sample: Uint8Array
  /** Whether the sample is all there is. */
  readonly complete: boolean
  /** Gives the same bytes as the source would have, from its first. Disposing it disposes the source. */
  readonly source: ByteSource
  /** What the source failed with after the bytes of the sample; the stream fails with it in its turn. */
  readonly failure?: unknown
}

/**
 * Reads up to `bytes` bytes of a source. A replayable source is then streamed anew; of one that is not, the sample is
 * given again and its stream goes on. A source that fails before its first byte makes this reject; one that fails later
 * does so where it would have. An abort rejects at once, and whoever called disposes the source.
 */
export async function peek(source: ByteSource, bytes: number, signal?: AbortSignal): Promise<Peeked> {
  signal?.throwIfAborted()
  if (source.replayable) return peekReplayable(source, bytes, signal)

  // The stream outlives the peek: its own signal is the reader's, not the one that the peek was given.
  const reading = new AbortController()
  const iterator = source.stream({ signal: reading.signal })[Symbol.asyncIterator]()
  const seen: Uint8Array[] = []
  let length = 0
  let state: Tail['state'] = 'more'
  let failure: unknown
  const abort = () => reading.abort(signal?.reason)
  signal?.addEventListener('abort', abort, { once: true })
  try {
    while (length < bytes) {
      const step = await untilAborted(iterator.next(), signal)
      if (step.done === true) {
        state = 'ended'
        break
      }
      const chunk = Uint8Array.from(step.value) // lent, so a copy
      seen.push(chunk)
      length += chunk.length
    }
  } catch (error) {
    if (length === 0 || signal?.aborted === true) {
      Promise.resolve(iterator.return?.()).catch(() => {})
      throw error
    }
    state = 'failed'
    failure = error
  } finally {
    signal?.removeEventListener('abort', abort)
  }
  const sample = joined(seen, length)
  return {
    sample: sample.length > bytes ? sample.subarray(0, bytes) : sample,
    complete: state === 'ended' || (state === 'more' && length <= bytes && source.size === length),
    source: new PeekedSource(source, { sample, iterator, reading, state, failure }),
    ...(state === 'failed' ? { failure } : {}),
  }
}

async function peekReplayable(source: ByteSource, bytes: number, signal: AbortSignal | undefined): Promise<Peeked> {
  const seen: Uint8Array[] = []
  let length = 0
  let complete = true
  let failed = false
  let failure: unknown
  try {
    for await (const chunk of source.stream({ signal })) {
      const part = Uint8Array.from(chunk.subarray(0, bytes - length))
      seen.push(part)
      length += part.length
      if (part.length < chunk.length || length >= bytes) {
        complete = part.length === chunk.length && source.size === length
        break
      }
    }
  } catch (error) {
    if (length === 0 || signal?.aborted === true) throw error
    failed = true
    failure = error
    complete = false
  }
  return { sample: joined(seen, length), complete, source, ...(failed ? { failure } : {}) }
}

function joined(chunks: readonly Uint8Array[], length: number): Uint8Array {
  if (chunks.length === 1) return chunks[0]!
  const all = new Uint8Array(length)
  let at = 0
  for (const chunk of chunks) {
    all.set(chunk, at)
    at += chunk.length
  }
  return all
}

/** Not `abortable`: one that aborts has its own listeners, and the step must be waited for where it is not aborted. */
function untilAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}

/** What is left of a stream that a peek has begun. */
interface Tail {
  readonly sample: Uint8Array
  readonly iterator: AsyncIterator<Uint8Array>
  readonly reading: AbortController
  readonly state: 'more' | 'ended' | 'failed'
  readonly failure: unknown
}

/** The sample, then the rest of the stream that it was taken from. */
class PeekedSource implements ByteSource {
  readonly label: string
  readonly replayable = false
  readonly random?: NonNullable<ByteSource['random']>
  readonly localPath?: string
  readonly size?: number
  readonly #source: ByteSource
  readonly #tail: Tail
  #streamed = false
  /** Whether the iterator is with whoever reads the stream, or returned. */
  #handedOn = false

  constructor(source: ByteSource, tail: Tail) {
    this.label = source.label
    if (source.random !== undefined) this.random = source.random
    if (source.localPath !== undefined) this.localPath = source.localPath
    if (source.size !== undefined) this.size = source.size
    this.#source = source
    this.#tail = tail
  }

  stream(options: Abortable = {}): AsyncIterable<Uint8Array> {
    if (this.#streamed) {
      throw createError('NOT_REPLAYABLE', 'the source can be read only once', { label: this.label })
    }
    this.#streamed = true
    return this.#stream(options.signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#giveUp()
    await this.#source[Symbol.asyncDispose]()
  }

  async *#stream(signal: AbortSignal | undefined): AsyncGenerator<Uint8Array, void, undefined> {
    const { sample, iterator, reading, state, failure } = this.#tail
    const abort = () => reading.abort(signal?.reason)
    signal?.addEventListener('abort', abort, { once: true })
    try {
      signal?.throwIfAborted()
      if (sample.length > 0) yield sample
      signal?.throwIfAborted()
      if (state === 'failed') throw failure
      if (this.#handedOn) throw createError('HANDLE_CLOSED', 'the source was disposed', { label: this.label })
      this.#handedOn = true
      if (state === 'more') yield* pull(iterator, signal)
    } finally {
      signal?.removeEventListener('abort', abort)
      await this.#giveUp()
    }
  }

  /** Returns the iterator, where it has neither ended nor failed, nor is being read. */
  async #giveUp(): Promise<void> {
    if (this.#handedOn) return
    this.#handedOn = true
    if (this.#tail.state === 'more') await this.#tail.iterator.return?.()
  }
}
