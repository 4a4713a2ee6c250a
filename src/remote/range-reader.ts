/** The bytes of one range of a remote object, which goes on from where a connection broke. */
import type { ChunkFeed } from '../core/chunk-iterator.ts'
import { createError, OpenIterableError } from '../core/errors.ts'
import type { Clock } from '../resilience/clock.ts'
import type { RetryPolicy, Trying } from '../resilience/retry.ts'
import { isTransient } from '../resilience/transient.ts'
import { Watchdog } from '../resilience/watchdog.ts'
import type { RemoteBody, RemoteCounters, RemoteObject } from './object.ts'

/** What all readers of one source share. */
export interface ReadingContext {
  readonly object: RemoteObject
  readonly policy: RetryPolicy
  /** How long the other side may be silent while it is waited for, milliseconds. */
  readonly timeoutMs: number
  /** Whether a body may end by a connection that is closed. */
  readonly allowUnknownEnd: boolean
  readonly counters: RemoteCounters
  readonly onRetry?: (() => void) | undefined
  readonly clock: Clock
}

/** Which object is read: what every later answer must agree with. */
export interface ObjectVersion {
  readonly etag?: string | undefined
  readonly total?: number | undefined
}

/** Getting this many bytes further is progress: the retries count anew. One that gives a byte a time is not worth them. */
const PROGRESS_BYTES = 64 * 1024

export class RangeReader implements ChunkFeed {
  readonly #context: ReadingContext
  readonly #start: number
  #end: number | undefined
  #version: ObjectVersion | undefined
  #position: number
  /** Where the last progress was noted. */
  #mark: number
  /** Bytes that the answer has before those that are wanted. */
  #skip = 0
  #body: RemoteBody | undefined
  #watchdog: Watchdog | undefined
  /** Ends the request that is under way. */
  #request: AbortController | undefined
  readonly #stopping = new AbortController()
  readonly #trying: Trying

  /**
   * @param end Exclusive; undefined: to the end of the object.
   * @param version Of the object, where it is known; without, the first answer tells it.
   */
  constructor(context: ReadingContext, start: number, end?: number, version?: ObjectVersion) {
    this.#context = context
    this.#start = this.#position = this.#mark = start
    this.#end = end
    this.#version = version
    this.#trying = context.policy.start({
      signal: this.#stopping.signal,
      onRetry: () => {
        context.counters.retries++
        context.onRetry?.()
      },
    })
  }

  /** The next byte to be given. */
  get position(): number {
    return this.#position
  }
  get version(): ObjectVersion {
    return this.#version ?? {}
  }

  /** Asks for the bytes, as often as it takes, and gives what answered; its bytes are read by `pull()`. */
  async open(): Promise<RemoteBody> {
    return this.#persist(async () => {
      this.#body ??= await this.#openOnce()
      return this.#body
    })
  }

  /** A chunk that is there already; undefined where one has to be waited for, by `pull()`. */
  take(): Uint8Array | undefined {
    if (this.#end !== undefined && this.#position >= this.#end) return undefined
    const received = this.#body?.take?.() ?? undefined
    if (received === undefined) return undefined
    const chunk = this.#accept(received)
    return chunk.length === 0 ? undefined : chunk
  }

  pull(): Promise<Uint8Array | null> {
    return this.#persist(async () => {
      for (;;) {
        this.#body ??= await this.#openOnce()
        const chunk = await this.#nextOf(this.#body)
        if (chunk === null || chunk.length > 0) return chunk
      }
    })
  }

  /** Moves the end of the range, not before `position`; undefined: to the end of the object. */
  limit(end: number | undefined): void {
    this.#end = end
  }

  async stop(): Promise<void> {
    this.#drop()
    this.#stopping.abort(
      createError('HANDLE_CLOSED', 'the reading was given up', { label: this.#context.object.label }),
    )
  }

  /** Runs a step until it succeeds, or fails for good. */
  async #persist<T>(step: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await step()
      } catch (error) {
        this.#drop()
        this.#stopping.signal.throwIfAborted()
        this.#checkResumable(error)
        await this.#trying.failed(error)
      }
    }
  }

  /** What was given cannot be taken back: going on takes the certainty that it is the same object. */
  #checkResumable(error: unknown): void {
    if (this.#position === this.#start) {
      // Nothing was given yet: any version will do that nobody counts on.
      if (this.#version?.etag === undefined) this.#version = undefined
      return
    }
    if (this.#version?.etag !== undefined || !isTransient(error)) return
    throw createError('SOURCE_FAILED', `the connection broke at byte ${this.#position}, and cannot be resumed`, {
      label: this.#context.object.label,
      byte: this.#position,
      expected: 'a strong ETag, to be sure that the rest is of the same version',
      found: 'none',
      hint: 'read it again from the start',
      cause: error,
    })
  }

  async #openOnce(): Promise<RemoteBody> {
    const { object, timeoutMs, counters, clock } = this.#context
    const request = new AbortController()
    const watchdog = new Watchdog({
      timeoutMs,
      clock,
      label: object.label,
      what: 'data',
      onStall: error => {
        request.abort(error)
        this.#body?.destroy()
      },
    })
    this.#request = request
    this.#watchdog = watchdog
    counters.requests++
    const opening = object.openRange({
      start: this.#position,
      end: this.#end,
      etag: this.#version?.etag,
      signal: request.signal,
    })
    let body: RemoteBody
    try {
      body = await watchdog.watch(() => opening)
    } catch (error) {
      // An answer that comes although nobody waits for it any more.
      opening.then(
        late => late.destroy(),
        () => {},
      )
      throw error
    }
    if (request.signal.aborted) {
      body.destroy()
      throw request.signal.reason
    }
    counters.open++
    this.#body = body
    this.#checkAnswer(body)
    this.#version = { etag: body.etag ?? this.#version?.etag, total: body.total ?? this.#version?.total }
    return body
  }

  /** A body that is not exactly what was asked for must never be joined to what was given. */
  #checkAnswer(body: RemoteBody): void {
    const { label } = this.#context.object
    const { etag, total } = this.#version ?? {}
    const wrong = (what: string, expected: unknown, found: unknown) =>
      createError('SOURCE_CHANGED', `the ${what} is not that of the bytes already read`, {
        label,
        byte: this.#position,
        expected: String(expected),
        found: String(found ?? 'none'),
      })
    if (etag !== undefined && body.etag !== etag) throw wrong('ETag', etag, body.etag)
    if (total !== undefined && body.total !== undefined && body.total !== total) throw wrong('size', total, body.total)
    const { start, end } = body
    // One that begins earlier, as of a server that knows no ranges, has what is wanted too.
    if (start > this.#position) {
      throw createError('SOURCE_CORRUPT', 'the server answered with another range than it was asked for', {
        label,
        byte: this.#position,
        expected: `bytes ${this.#position} to ${this.#end ?? 'the end'}`,
        found: `bytes ${start} to ${end ?? 'the end'}`,
      })
    }
    this.#skip = this.#position - start
  }

  async #nextOf(body: RemoteBody): Promise<Uint8Array | null> {
    if (this.#end !== undefined && this.#position >= this.#end) {
      await this.#finish(body)
      return null
    }
    let step: IteratorResult<Uint8Array, unknown>
    try {
      step = await this.#watchdog!.watch(() => body.next())
    } catch (error) {
      throw this.#broken(error)
    }
    if (step.done === true) {
      this.#checkEnd(body)
      this.#drop(true)
      return null
    }
    return this.#accept(step.value)
  }

  /** What is wanted of a chunk that has come. */
  #accept(received: Uint8Array): Uint8Array {
    const { object, counters } = this.#context
    let chunk = received
    counters.receivedBytes += chunk.length
    if (this.#skip > 0) {
      const skipped = Math.min(this.#skip, chunk.length)
      this.#skip -= skipped
      chunk = chunk.subarray(skipped)
    }
    const left = (this.#end ?? this.#version?.total ?? Number.POSITIVE_INFINITY) - this.#position
    if (chunk.length > left) {
      if (this.#end === undefined) {
        throw createError('SOURCE_CORRUPT', 'more bytes come than were said to be there', {
          label: object.label,
          expected: `${this.#position + left} bytes`,
        })
      }
      chunk = chunk.subarray(0, left)
    }
    this.#position += chunk.length
    if (this.#position - this.#mark >= PROGRESS_BYTES) {
      this.#mark = this.#position
      if (this.#trying.attempt > 1) this.#trying.succeeded()
    }
    return chunk
  }

  /** All that is wanted is there. A connection that has nothing more to give is left to be used again. */
  async #finish(body: RemoteBody): Promise<void> {
    const rest = body.end === this.#end ? this.#watchdog?.watch(() => body.next()) : undefined
    const step = await rest?.catch(() => undefined)
    this.#drop(step?.done)
  }

  #checkEnd(body: RemoteBody): void {
    const { object, allowUnknownEnd } = this.#context
    const { total = Number.POSITIVE_INFINITY } = this.#version ?? {}
    const end = Math.min(this.#end ?? Number.POSITIVE_INFINITY, total)
    if (end !== Number.POSITIVE_INFINITY) {
      if (this.#position < end) throw this.#broken(new Error(`${end - this.#position} bytes are missing`))
      return
    }
    if (body.endKnown || allowUnknownEnd) return
    throw createError('SOURCE_END_UNKNOWN', `the connection was closed after ${this.#position} bytes`, {
      label: object.label,
      byte: this.#position,
      expected: 'a length or an end that is marked',
      found: 'neither: it may be all, or cut short',
    })
  }

  /** What went wrong in a body is worth another try, unless it was this library that said so. */
  #broken(error: unknown): unknown {
    if (error instanceof OpenIterableError) return error
    const cause = isTransient(error)
      ? error
      : Object.assign(new Error(error instanceof Error ? error.message : String(error), { cause: error }), {
          code: 'ERR_STREAM_PREMATURE_CLOSE',
        })
    const found = error instanceof Error ? error.message : String(error)
    return createError('SOURCE_FAILED', `the connection broke at byte ${this.#position}: ${found}`, {
      label: this.#context.object.label,
      byte: this.#position,
      found,
      cause,
    })
  }

  /** Lets go of the answer; what was read to its end is left alone, as its connection serves the next request. */
  #drop(finished = false): void {
    this.#watchdog?.[Symbol.dispose]()
    this.#watchdog = undefined
    const body = this.#body
    this.#body = undefined
    if (body !== undefined) this.#context.counters.open--
    if (!finished) {
      body?.destroy()
      this.#request?.abort()
    }
    this.#request = undefined
  }
}
