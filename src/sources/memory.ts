/** Bytes and text in memory, blobs, and a place in memory to write to. */
import { setImmediate } from 'node:timers/promises'
import { iteratorOf, pull, toBytes } from '../core/chunks.ts'
import { createError } from '../core/errors.ts'
import type { Abortable, ByteRange, ByteSink, ByteSource, Place } from '../core/types.ts'

const CHUNK_BYTES = 262_144

/**
 * A file in memory: written through `openIterable(file, { mode: 'w' })`, read by `openIterable(file)`, by `bytes()` or by
 * `text()`. Like a file on disk it changes only when a writer closes.
 */
export class MemoryTarget {
  /** File name; its extensions tell format and codecs. */
  readonly name: string | undefined
  #bytes: Uint8Array

  constructor(name?: string, content: Uint8Array | string = '') {
    this.name = name
    this.#bytes = toBytes(content, name ?? '<memory>')
  }

  /** What is published. Not a copy. */
  bytes(): Uint8Array {
    return this.#bytes
  }

  /** What is published, as UTF-8 text. */
  text(): string {
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(this.#bytes)
  }

  /** Replaces the content: what a writer does on `close()`. */
  publish(content: Uint8Array): void {
    this.#bytes = content
  }
}

export const place: Place = {
  async openSource(target) {
    if (target instanceof Blob) return new BlobSource(target)
    return new BytesSource(bytesOf(target), nameOf(target))
  },
  async openSink(target, { append }) {
    if (target instanceof MemoryTarget) return new MemorySink(target, append)
    throw createError('TARGET_UNSUPPORTED', 'bytes, text and blobs are read, not written', {
      hint: "write to a MemoryTarget: openIterable(new MemoryTarget('x.csv'), { mode: 'w' })",
    })
  },
}

function nameOf(target: unknown): string {
  const { name } = target as { name?: unknown }
  return typeof name === 'string' ? name : '<memory>'
}

function bytesOf(target: unknown): Uint8Array {
  if (target instanceof MemoryTarget) return target.bytes()
  const { text, bytes } = target as { text?: unknown; bytes?: unknown }
  return toBytes(typeof text === 'string' ? text : (bytes ?? target), nameOf(target))
}

class BytesSource implements ByteSource {
  readonly label: string
  readonly replayable = true
  readonly size: number
  readonly random: NonNullable<ByteSource['random']>
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array, label: string) {
    this.label = label
    this.size = bytes.length
    this.#bytes = bytes
    this.random = {
      size: async options => {
        options?.signal?.throwIfAborted()
        return bytes.length
      },
      readRanges: async (ranges, options) => {
        options?.signal?.throwIfAborted()
        return ranges.map(range => this.#slice(range))
      },
    }
  }

  async *stream(options: Abortable = {}): AsyncGenerator<Uint8Array, void, undefined> {
    for (let start = 0; start < this.#bytes.length; start += CHUNK_BYTES) {
      // Nothing here waits for I/O, so without this a large input would hold up everything else in the process.
      if (start > 0) await setImmediate()
      options.signal?.throwIfAborted()
      yield this.#bytes.subarray(start, start + CHUNK_BYTES)
    }
    options.signal?.throwIfAborted()
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #slice({ start, end }: ByteRange): Uint8Array {
    if (start < 0 || end < start || end > this.#bytes.length) {
      throw createError('SOURCE_FAILED', `bytes ${start} to ${end} are asked for`, {
        label: this.label,
        expected: `a range within ${this.#bytes.length} bytes`,
        found: `${start}–${end}`,
      })
    }
    return this.#bytes.subarray(start, end)
  }
}

class BlobSource implements ByteSource {
  readonly label: string
  readonly replayable = true
  readonly size: number
  readonly #blob: Blob

  constructor(blob: Blob) {
    this.label = nameOf(blob)
    this.size = blob.size
    this.#blob = blob
  }

  async *stream(options: Abortable = {}): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of pull(iteratorOf(this.#blob.stream())!, options.signal)) {
      const bytes = toBytes(chunk, this.label)
      if (bytes.length > 0) yield bytes
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

class MemorySink implements ByteSink {
  readonly label: string
  readonly #target: MemoryTarget
  #chunks: Uint8Array[] = []
  #state: 'open' | 'closed' | 'aborted' = 'open'

  constructor(target: MemoryTarget, append: boolean) {
    this.label = nameOf(target)
    this.#target = target
    if (append) this.#chunks.push(target.bytes())
  }

  async write(chunk: Uint8Array): Promise<void> {
    if (this.#state !== 'open')
      throw createError('HANDLE_CLOSED', `write after the sink was ${this.#state}`, { label: this.label })
    this.#chunks.push(Buffer.from(chunk)) // a copy; Buffer.slice() would not be one
  }

  async close(): Promise<void> {
    if (this.#state === 'aborted')
      throw createError('HANDLE_CLOSED', 'close after the sink was aborted', { label: this.label })
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#target.publish(Buffer.concat(this.#chunks))
    this.#chunks = []
  }

  async abort(): Promise<void> {
    if (this.#state === 'open') this.#state = 'aborted'
    this.#chunks = []
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.abort()
  }
}
