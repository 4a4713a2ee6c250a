/**
 * gzip (RFC 1952). The frame of each member is read here and only its compressed data is given to node:zlib: Node's own
 * gunzip passes over what follows zero bytes after a member, and loses the last good bytes before trailing garbage.
 */
import { constants, crc32, createGzip, createInflateRaw } from 'node:zlib'
import { type ChunkFeed, ChunkIterator } from '../core/chunk-iterator.ts'
import { createError, type ErrorCode, type ErrorDetails } from '../core/errors.ts'
import { invalidOption } from '../core/options.ts'
import type { Abortable, ByteSink, ByteSource, Codec } from '../core/types.ts'
import { stageOptions, ZlibStage } from '../core/zlib-stage.ts'
import { hex, MAGIC_1, MAGIC_2, parseHeader, TRAILER_BYTES } from './gzip-member.ts'

/** Large steps: with Node's 16 KiB the calls cost more than the work. */
const MAX_DECODED_CHUNK_BYTES = 256 * 1024
const MIN_DECODED_CHUNK_BYTES = 4 * 1024
const ENCODED_CHUNK_BYTES = 64 * 1024

/**
 * `decode` takes any number of members, one after the other. Zero bytes after the last one, up to the end of the input,
 * are padding and are accepted, as gzip(1) does; anything else there is CODEC_TRAILING_DATA. An empty input is
 * CODEC_TRUNCATED. Everything decoded before the end of a truncated input, or before trailing data, is delivered before
 * the error; of a member that is CODEC_CORRUPT what was decoded up to 256 KiB before the damage was seen, and it was not
 * yet checked by the member's checksum. `byte` of an error counts decoded bytes, its message also compressed ones.
 *
 * `encode` writes one member without name or time, so that the same input gives the same bytes. `level` is 0 to 9, or -1
 * (the default: zlib's own, which is 6).
 */
export const codec: Codec = {
  decode: source => new GzipSource(source),
  encode: (sink, { level = -1 }) => {
    if (!Number.isInteger(level) || level < -1 || level > 9) {
      throw invalidOption('level', 'a whole number from 0 to 9, or -1 for the default', level)
    }
    return new GzipSink(sink, level)
  },
}

class GzipSource implements ByteSource {
  readonly label: string
  readonly replayable: boolean
  readonly #source: ByteSource
  readonly #streams = new Set<ChunkIterator>()
  #disposing: Promise<void> | undefined

  constructor(source: ByteSource) {
    this.label = source.label
    this.replayable = source.replayable
    this.#source = source
  }

  stream(options: Abortable = {}): AsyncIterableIterator<Uint8Array> {
    if (this.#disposing !== undefined) {
      throw createError('HANDLE_CLOSED', 'the source was disposed', { label: this.label })
    }
    const feed = new GunzipFeed(this.#source)
    const stream: ChunkIterator = new ChunkIterator(
      { pull: () => feed.pull(), stop: () => feed.stop().finally(() => this.#streams.delete(stream)) },
      this.label,
      options.signal,
    )
    this.#streams.add(stream)
    return stream
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposing ??= this.#dispose()
    return this.#disposing
  }

  async #dispose(): Promise<void> {
    const closed = createError('HANDLE_CLOSED', 'the source was disposed while it was read', { label: this.label })
    await Promise.all([...this.#streams].map(stream => stream.cancel(closed)))
    await this.#source[Symbol.asyncDispose]()
  }
}

const EMPTY = new Uint8Array(0)

/** Decodes the members of one pass over a source. */
class GunzipFeed implements ChunkFeed {
  readonly #label: string
  readonly #input: AsyncIterator<Uint8Array>
  /** Calls off a read of the input that is under way. */
  readonly #inputAbort = new AbortController()
  #inputEnded = false
  /** What is left of the chunk in hand. */
  #rest: Uint8Array = EMPTY
  /** Compressed bytes before `#rest`. */
  #offset = 0
  #decoded = 0
  #member = 0
  #checksum = 0
  /** Of the member in hand, modulo 2^32. */
  #size = 0
  #chunkBytes = MAX_DECODED_CHUNK_BYTES
  #stage: ZlibStage | undefined
  /** Moves input into the stage while the output is read; gives what the input failed with. */
  #feeding: Promise<{ readonly reason: unknown } | undefined> = Promise.resolve(undefined)
  #stopped = false

  constructor(source: ByteSource) {
    this.#label = source.label
    this.#input = source.stream({ signal: this.#inputAbort.signal })[Symbol.asyncIterator]()
  }

  async pull(): Promise<Uint8Array | null> {
    for (;;) {
      if (this.#stage === undefined) {
        if (!(await this.#readHeader())) return null
        if (this.#stopped) return null
        this.#stage = new ZlibStage(
          createInflateRaw({ ...stageOptions(this.#chunkBytes), finishFlush: constants.Z_SYNC_FLUSH }),
        )
        this.#feeding = this.#feed(this.#stage)
      }
      const chunk = await this.#readStage(this.#stage)
      if (chunk !== null) {
        this.#checksum = crc32(chunk, this.#checksum)
        this.#size = (this.#size + chunk.length) >>> 0
        this.#decoded += chunk.length
        return chunk
      }
      const failure = await this.#feeding
      if (failure !== undefined) throw failure.reason
      await this.#stage.destroy()
      this.#stage = undefined
      if (this.#stopped) return null
      await this.#readTrailer()
      // Many small members follow one another: a large buffer for each would be memory for nothing.
      this.#chunkBytes = Math.min(Math.max(this.#size, MIN_DECODED_CHUNK_BYTES), MAX_DECODED_CHUNK_BYTES)
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true
    if (!this.#inputEnded) {
      this.#inputAbort.abort(createError('HANDLE_CLOSED', 'the reading was given up', { label: this.#label }))
    }
    await this.#stage?.destroy()
    await this.#feeding
    // What the input fails with now concerns nobody.
    await Promise.resolve(this.#input.return?.()).catch(() => {})
  }

  /** The next chunk of the input into `#rest`; false at the end. */
  async #more(): Promise<boolean> {
    if (this.#inputEnded) return false
    const step = await this.#input.next()
    if (step.done === true) this.#inputEnded = true
    else this.#rest = step.value
    return !this.#inputEnded
  }

  async #feed(stage: ZlibStage): Promise<{ readonly reason: unknown } | undefined> {
    try {
      while (!this.#stopped) {
        if (this.#rest.length === 0 && !(await this.#more())) break
        const { length } = this.#rest
        const before = stage.bytesTaken
        await stage.write(this.#rest)
        const taken = stage.bytesTaken - before
        this.#offset += taken
        this.#rest = this.#rest.subarray(taken)
        // A stage that leaves bytes has come to the end of the member.
        if (taken < length || stage.finished) return undefined
      }
      return undefined
    } catch (reason) {
      return { reason }
    } finally {
      // What is decoded so far still comes out.
      stage.end()
    }
  }

  async #readStage(stage: ZlibStage): Promise<Uint8Array | null> {
    try {
      return await stage.read()
    } catch (cause) {
      throw this.#error('CODEC_CORRUPT', `member ${this.#member} is damaged after compressed byte ${this.#offset}`, {
        expected: 'deflate data',
        found: cause instanceof Error ? cause.message : String(cause),
        hint: 'fetch or copy the file again',
        cause,
      })
    }
  }

  /** Reads the header of the next member; false where the input ends in place of one. */
  async #readHeader(): Promise<boolean> {
    const first = await this.#byte()
    if (first === undefined) {
      if (this.#member > 0) return false
      throw this.#error('CODEC_TRUNCATED', 'the input is empty', { expected: 'a gzip member', found: '0 bytes' })
    }
    if (first === 0 && this.#member > 0) {
      await this.#readPadding()
      return false
    }
    const start = this.#offset - 1
    if (first !== MAGIC_1) throw this.#notAMember(start, [first])
    const second = await this.#byteOfFrame('header')
    if (second !== MAGIC_2) throw this.#notAMember(start, [first, second])
    this.#member++
    this.#checksum = 0
    this.#size = 0
    const parser = parseHeader((what, expected, found) =>
      this.#error('CODEC_CORRUPT', `member ${this.#member}, at compressed byte ${start}, is damaged: ${what}`, {
        expected,
        found,
      }),
    )
    parser.next(0) // runs to where the first byte is taken
    while (parser.next(await this.#byteOfFrame('header')).done !== true);
    return true
  }

  async #readTrailer(): Promise<void> {
    const bytes = Buffer.alloc(TRAILER_BYTES)
    for (let i = 0; i < TRAILER_BYTES; i++) bytes[i] = await this.#byteOfFrame('trailer')
    const checksum = bytes.readUInt32LE(0)
    const size = bytes.readUInt32LE(4)
    if (checksum === this.#checksum && size === this.#size) return
    const [what, expected, found] =
      checksum === this.#checksum
        ? ['length', String(size), String(this.#size)]
        : ['checksum', hex(checksum), hex(this.#checksum)]
    throw this.#error('CODEC_CORRUPT', `the ${what} of member ${this.#member} is wrong`, {
      expected: `${expected}, which the member says`,
      found: `${found}, of the data decoded`,
      hint: 'the rows already read may be wrong too: fetch or copy the file again',
    })
  }

  async #readPadding(): Promise<void> {
    for (;;) {
      const other = this.#rest.findIndex(byte => byte !== 0)
      if (other >= 0) throw this.#notAMember(this.#offset + other, this.#rest.subarray(other, other + 2))
      this.#offset += this.#rest.length
      this.#rest = EMPTY
      if (!(await this.#more())) return
    }
  }

  #byte(): number | undefined | Promise<number | undefined> {
    if (this.#rest.length === 0) return this.#more().then(more => (more ? this.#byte() : undefined))
    const byte = this.#rest[0]!
    this.#rest = this.#rest.subarray(1)
    this.#offset++
    return byte
  }

  async #byteOfFrame(part: 'header' | 'trailer'): Promise<number> {
    const byte = await this.#byte()
    if (byte !== undefined) return byte
    const member = part === 'header' && this.#member === 0 ? 1 : this.#member
    throw this.#error('CODEC_TRUNCATED', `the input ends in member ${member}, at compressed byte ${this.#offset}`, {
      expected: part === 'header' ? 'the rest of its header' : 'the rest of its data and trailer',
      found: 'the end of the input',
    })
  }

  #notAMember(start: number, bytes: Iterable<number>): Error {
    const found = [...bytes].map(byte => byte.toString(16).padStart(2, '0')).join(' ')
    if (this.#member === 0) {
      return this.#error('CODEC_CORRUPT', 'this is not gzip data', {
        expected: '1f 8b at its beginning',
        found,
        hint: 'if the file is not compressed, read it with { codecs: [] }',
      })
    }
    return this.#error('CODEC_TRAILING_DATA', `other data follows the last member, at compressed byte ${start}`, {
      expected: 'the end of the input, another member (1f 8b), or zero bytes up to the end',
      found,
      hint: 'what comes before it is whole; cut the rest off if it is not meant to be there',
    })
  }

  #error(code: ErrorCode, summary: string, details: ErrorDetails): Error {
    return createError(code, summary, { label: this.#label, byte: this.#decoded, ...details })
  }
}

class GzipSink implements ByteSink {
  readonly label: string
  readonly #sink: ByteSink
  readonly #stage: ZlibStage
  /** Moves output into the sink until the stage ends. */
  readonly #moving: Promise<void>
  /** What every call is told after a failure or an abort. */
  #failure: { readonly reason: unknown } | undefined
  #closing: Promise<void> | undefined
  #closed = false

  constructor(sink: ByteSink, level: number) {
    this.label = sink.label
    this.#sink = sink
    this.#stage = new ZlibStage(createGzip({ ...stageOptions(ENCODED_CHUNK_BYTES), level }))
    this.#moving = this.#move()
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#checkUsable()
    if (this.#closing !== undefined) {
      throw createError('HANDLE_CLOSED', 'write after the sink was closed', { label: this.label })
    }
    if (chunk.length > 0) await this.#stage.write(chunk)
    this.#checkUsable()
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async abort(reason?: unknown): Promise<void> {
    if (this.#closed) return
    this.#failure ??= {
      reason: createError('HANDLE_CLOSED', 'the sink was aborted', {
        label: this.label,
        ...(reason === undefined ? {} : { cause: reason }),
      }),
    }
    await this.#stage.destroy()
    await this.#sink.abort(reason)
    await this.#moving
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.abort()
    await this.#sink[Symbol.asyncDispose]()
  }

  #checkUsable(): void {
    if (this.#failure !== undefined) throw this.#failure.reason
  }

  async #close(): Promise<void> {
    this.#checkUsable()
    this.#stage.end()
    await this.#moving
    this.#checkUsable()
    await this.#sink.close()
    this.#closed = true
  }

  async #move(): Promise<void> {
    try {
      for (let chunk = await this.#stage.read(); chunk !== null; chunk = await this.#stage.read()) {
        await this.#sink.write(chunk)
      }
    } catch (reason) {
      this.#failure ??= { reason }
    } finally {
      // Also frees the native memory after a good end.
      await this.#stage.destroy()
    }
  }
}
