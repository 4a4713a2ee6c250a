/** Streams that the user holds: Node's and the Web's, fetch responses, standard input and output. */
import type { Readable, Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { whenAborted } from '../core/abort.ts'
import { iteratorOf, linkedController, pull, toBytes } from '../core/chunks.ts'
import { createError, OpenIterableError, redact } from '../core/errors.ts'
import type { Abortable, ByteSink, ByteSource, Place } from '../core/types.ts'

export const place: Place = {
  async openSource(target) {
    if (target instanceof Response) return new StreamSource(bodyOf(target), labelOf(target.url, '<response>'))
    if (target instanceof ReadableStream) return new StreamSource(target, '<stream>')
    const readable = target as Readable
    if (typeof readable.read !== 'function') {
      throw createError('TARGET_UNSUPPORTED', 'the stream can be written, not read', {
        hint: "open it with { mode: 'w' }",
      })
    }
    const label = labelOf((target as { path?: unknown }).path, '<stream>')
    if (readable.readableEnded || readable.destroyed) {
      throw createError('SOURCE_FAILED', 'the stream was already read or destroyed', {
        label,
        cause: readable.errored ?? undefined,
        hint: 'hand over a stream that nobody has read',
      })
    }
    return new StreamSource(readable, label)
  },
  async openSink(target) {
    if (target instanceof WritableStream) return new WebSink(target)
    const writable = target as Writable
    if (typeof writable.write !== 'function') {
      throw createError('TARGET_UNSUPPORTED', 'the stream can be read, not written', {
        hint: "open it with { mode: 'r' }",
      })
    }
    return new NodeSink(writable, labelOf((target as { path?: unknown }).path, '<stream>'), false)
  },
}

export const stdio: Place = {
  async openSource() {
    return new StreamSource(process.stdin, '<stdin>')
  },
  async openSink() {
    return new NodeSink(process.stdout, '<stdout>', true)
  },
}

function labelOf(name: unknown, otherwise: string): string {
  return typeof name === 'string' && name !== '' ? redact(name) : otherwise
}

function bodyOf(response: Response): ReadableStream<Uint8Array> {
  const label = labelOf(response.url, '<response>')
  if (!response.ok) {
    throw createError(
      response.status === 404 ? 'SOURCE_NOT_FOUND' : 'SOURCE_FAILED',
      `the server answered ${response.status} ${response.statusText}`,
      {
        label,
        expected: 'a status from 200 to 299',
        found: String(response.status),
      },
    )
  }
  if (response.bodyUsed) {
    throw createError('SOURCE_FAILED', 'the body of the response was already read', { label, hint: 'fetch it again' })
  }
  return response.body ?? new Blob([]).stream()
}

/** Chunks of a stream that can be read once. */
class StreamSource implements ByteSource {
  readonly label: string
  readonly replayable = false
  readonly #stream: Readable | ReadableStream
  /** Ends the reading that is under way. */
  #giveUp: ((reason: unknown) => void) | undefined
  #used = false

  constructor(stream: Readable | ReadableStream, label: string) {
    this.label = label
    this.#stream = stream
  }

  async *stream(options: Abortable = {}): AsyncGenerator<Uint8Array, void, undefined> {
    if (this.#used) throw createError('NOT_REPLAYABLE', 'a stream can be read only once', { label: this.label })
    this.#used = true
    const { controller, stop } = linkedController(options.signal)
    const { signal } = controller
    this.#giveUp = reason => controller.abort(reason)
    const stream = this.#stream
    // Destroying is what ends a read that waits for a peer; giving up the iterator would queue behind it.
    whenAborted(signal, () => {
      if ('destroy' in stream) stream.destroy()
    })
    try {
      for await (const chunk of pull(iteratorOf(stream)!, signal)) {
        const bytes = toBytes(chunk, this.label)
        if (bytes.length > 0) yield bytes
      }
    } catch (error) {
      throw this.#wrap(error, signal)
    } finally {
      stop()
      this.#giveUp = undefined
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const stream = this.#stream
    this.#giveUp?.(createError('HANDLE_CLOSED', 'the source was disposed', { label: this.label }))
    if ('destroy' in stream) {
      if (stream.destroyed) return
      stream.destroy()
    } else if (!stream.locked) {
      // The stream may have failed; whoever read it has been told.
      await stream.cancel().catch(() => {})
    }
  }

  #wrap(error: unknown, signal: AbortSignal): unknown {
    if (signal.aborted) return signal.reason
    if (error instanceof OpenIterableError) return error
    return createError('SOURCE_FAILED', `the stream failed: ${messageOf(error)}`, { label: this.label, cause: error })
  }
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error))

function sinkError(error: unknown, label: string): Error {
  const code = (error as { code?: unknown } | null)?.code
  if (code === 'EPIPE' || code === 'ERR_STREAM_PREMATURE_CLOSE' || code === 'ERR_STREAM_DESTROYED') {
    return createError('SINK_CLOSED', 'the other end of the stream has gone away', { label, cause: error })
  }
  return createError('SINK_FAILED', `the stream failed: ${messageOf(error)}`, { label, cause: error })
}

/** Writes to a Node stream. It cannot take back what it has sent: a failure destroys the stream, so its reader sees it. */
class NodeSink implements ByteSink {
  readonly label: string
  readonly #stream: Writable
  /** Standard output belongs to the process: it is neither ended nor destroyed. */
  readonly #shared: boolean
  #state: 'open' | 'closed' | 'aborted' = 'open'
  #failure: unknown
  readonly #onError = (error: unknown) => {
    this.#failure ??= error
  }

  constructor(stream: Writable, label: string, shared: boolean) {
    this.label = label
    this.#stream = stream
    this.#shared = shared
    // Without a listener a failing stream would end the process.
    stream.on('error', this.#onError)
  }

  write(chunk: Uint8Array): Promise<void> {
    if (this.#state !== 'open') {
      return Promise.reject(
        createError('HANDLE_CLOSED', `write after the sink was ${this.#state}`, { label: this.label }),
      )
    }
    if (this.#failure !== undefined) return Promise.reject(sinkError(this.#failure, this.label))
    return new Promise((resolve, reject) => {
      // A copy: a Transform calls back before whoever reads its other side has seen the chunk.
      const onClose = () =>
        reject(sinkError(this.#failure ?? this.#stream.errored ?? { code: 'ERR_STREAM_PREMATURE_CLOSE' }, this.label))
      this.#stream.once('close', onClose)
      this.#stream.write(Buffer.from(chunk), error => {
        this.#stream.off('close', onClose)
        if (error === null || error === undefined) resolve()
        else reject(sinkError(error, this.label))
      })
    })
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return
    if (this.#state === 'aborted')
      throw createError('HANDLE_CLOSED', 'close after the sink was aborted', { label: this.label })
    this.#state = 'closed'
    if (this.#failure !== undefined) throw sinkError(this.#failure, this.label)
    if (this.#shared) {
      this.#stream.off('error', this.#onError)
      return
    }
    try {
      this.#stream.end()
      await finished(this.#stream, { readable: false })
    } catch (error) {
      throw sinkError(error, this.label)
    }
  }

  async abort(reason?: unknown): Promise<void> {
    if (this.#state !== 'open') return
    this.#state = 'aborted'
    if (this.#shared) this.#stream.off('error', this.#onError)
    else
      this.#stream.destroy(reason instanceof Error ? reason : new Error('the writer was given up', { cause: reason }))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.abort()
  }
}

/** Writes to a Web stream; as with Node's, what was sent stays sent. */
class WebSink implements ByteSink {
  readonly label = '<stream>'
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>
  #state: 'open' | 'closed' | 'aborted' = 'open'

  constructor(stream: WritableStream<Uint8Array>) {
    if (stream.locked) {
      throw createError('SINK_FAILED', 'the stream is locked by another writer', {
        label: this.label,
        hint: 'release its writer first',
      })
    }
    this.#writer = stream.getWriter()
    this.#writer.closed.catch(() => {}) // told through write() and close()
  }

  async write(chunk: Uint8Array): Promise<void> {
    if (this.#state !== 'open')
      throw createError('HANDLE_CLOSED', `write after the sink was ${this.#state}`, { label: this.label })
    try {
      await this.#writer.ready
      // A copy: the stream may queue the chunk beyond this call.
      await this.#writer.write(new Uint8Array(chunk))
    } catch (error) {
      throw sinkError(error, this.label)
    }
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return
    if (this.#state === 'aborted')
      throw createError('HANDLE_CLOSED', 'close after the sink was aborted', { label: this.label })
    this.#state = 'closed'
    try {
      await this.#writer.close()
    } catch (error) {
      throw sinkError(error, this.label)
    }
  }

  async abort(reason?: unknown): Promise<void> {
    if (this.#state !== 'open') return
    this.#state = 'aborted'
    await this.#writer.abort(reason)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.abort()
  }
}
