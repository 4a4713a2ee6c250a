/** The sink that takes UTF-8 and writes another encoding. */
import { transcode } from 'node:buffer'
import type { TextEncoding } from './encoding-encoders.ts'
import type { Encoding } from './encoding-names.ts'
import { createError, excerpt } from './errors.ts'
import { asBuffer, isAscii, validUtf8Length } from './text.ts'
import type { ByteSink } from './types.ts'

const EMPTY = new Uint8Array(0)
const MARK = '\ufeff'
const LINE_FEED = 10

/** See `encodeText`. */
export class TextSink implements ByteSink {
  readonly label: string
  readonly #sink: ByteSink
  readonly #encoding: Encoding
  readonly #replaces: boolean
  #text: TextEncoding | undefined
  /** Whether the byte order mark is still to be written. */
  #bom: boolean
  /** The beginning of a code point that the next chunk goes on with, a copy. */
  #begun: Uint8Array = EMPTY
  /** UTF-8 taken, bytes written and line ends, before what is in hand: for errors. */
  #taken = 0
  #written = 0
  #lines = 0
  #failure: { readonly reason: unknown } | undefined
  #closing: Promise<void> | undefined
  #closed = false

  constructor(sink: ByteSink, encoding: Encoding, bom: boolean, replaces: boolean) {
    this.label = sink.label
    this.#sink = sink
    this.#encoding = encoding
    this.#bom = bom
    this.#replaces = replaces
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#checkUsable()
    if (this.#closing !== undefined) {
      throw createError('HANDLE_CLOSED', 'write after the sink was closed', { label: this.label })
    }
    await this.#guarded(() => this.#write(chunk, false))
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
    await this.#sink.abort(reason)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#closed) {
      this.#failure ??= { reason: createError('HANDLE_CLOSED', 'the sink was disposed', { label: this.label }) }
    }
    await this.#sink[Symbol.asyncDispose]()
  }

  async #close(): Promise<void> {
    this.#checkUsable()
    await this.#guarded(async () => {
      await this.#write(EMPTY, true)
      await this.#sink.close()
    })
    this.#closed = true
  }

  #checkUsable(): void {
    if (this.#failure !== undefined) throw this.#failure.reason
  }

  /** A failure stays: what was written so far is not the whole. */
  async #guarded(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (reason) {
      this.#failure ??= { reason }
      throw reason
    }
  }

  async #write(chunk: Uint8Array, ended: boolean): Promise<void> {
    this.#text ??= await (await import('./encoding-encoders.ts')).createEncoding(this.#encoding)
    const encoding = this.#text
    // Another call may have failed while the tables were loaded.
    this.#checkUsable()
    const bytes = asBuffer(this.#begun.length === 0 ? chunk : Buffer.concat([this.#begun, chunk]))
    this.#begun = EMPTY
    if (bytes.length === 0) return
    if (encoding.extendsAscii && !this.#bom && isAscii(bytes)) {
      this.#count(bytes, bytes.length)
      return this.#sink.write(bytes)
    }
    const whole = this.#wholeLength(bytes, ended)
    let text = textOf(bytes.subarray(0, whole))
    const waiting = ended ? '' : text.slice(text.length - (encoding.waits?.(text) ?? 0))
    text = text.slice(0, text.length - waiting.length)
    const taken = whole - Buffer.byteLength(waiting)
    if (taken < bytes.length) this.#begun = Buffer.from(bytes.subarray(taken))
    if (text === '') return
    if (this.#bom && !text.startsWith(MARK)) text = MARK + text
    this.#bom = false
    const encoded = this.#encode(text, encoding)
    this.#count(bytes.subarray(0, taken), encoded.length)
    await this.#sink.write(encoded)
  }

  /** Bytes up to the last whole code point. */
  #wholeLength(bytes: Buffer, ended: boolean): number {
    const valid = validUtf8Length(bytes)
    if (valid === bytes.length || (!ended && isBegun(bytes.subarray(valid)))) return valid
    throw createError('TEXT_INVALID_UTF8', `the text to write is not UTF-8 at byte ${this.#taken + valid} of it`, {
      label: this.label,
      byte: this.#taken + valid,
      expected: 'UTF-8',
      hint: 'what is written through an encoding has to be text',
    })
  }

  #encode(text: string, encoding: TextEncoding): Buffer {
    const encoded = encoding.encode(text)
    if (encoded !== undefined) return encoded
    const parts: Buffer[] = []
    this.#encodeInto(text, encoding, parts, 0)
    return Buffer.concat(parts)
  }

  /** `lines`: line ends in what is in hand before the text. Gives those up to its end. */
  #encodeInto(text: string, encoding: TextEncoding, parts: Buffer[], lines: number): number {
    const encoded = encoding.encode(text)
    if (encoded !== undefined) {
      parts.push(encoded)
      let count = lines
      for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count++
      return count
    }
    const middle = middleOf(text, encoding)
    if (middle > 0) {
      const before = this.#encodeInto(text.slice(0, middle), encoding, parts, lines)
      return this.#encodeInto(text.slice(middle), encoding, parts, before)
    }
    if (!this.#replaces) {
      const byte = parts.reduce((sum, part) => sum + part.length, this.#written)
      const found = `${excerpt(text)} (${Array.from(text, codePoint).join(' ')})`
      throw createError('TEXT_UNMAPPABLE', `${this.#encoding.name} has no ${found}, which would be at byte ${byte}`, {
        label: this.label,
        line: this.#lines + lines + 1,
        byte,
        expected: `a character of ${this.#encoding.name}`,
        found,
      })
    }
    parts.push(encoding.encode('?')!)
    return lines
  }

  #count(utf8: Buffer, written: number): void {
    this.#taken += utf8.length
    this.#written += written
    for (let at = utf8.indexOf(LINE_FEED); at >= 0; at = utf8.indexOf(LINE_FEED, at + 1)) this.#lines++
  }
}

/** Quicker than `toString('utf8')` on Node 20, as quick on later ones. */
const textOf = (utf8: Buffer) => (utf8.length === 0 ? '' : transcode(utf8, 'utf8', 'utf16le').toString('utf16le'))

/** Whether the bytes may be the beginning of a code point that is longer; the next chunk tells. */
function isBegun(bytes: Buffer): boolean {
  const [lead = 0] = bytes
  return bytes.length < (lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0)
}

/** Where a character begins about halfway; 0 in a single one. */
function middleOf(text: string, encoding: TextEncoding): number {
  for (let at = text.length >> 1 || 1; at < text.length; at++) if (isBoundary(text, at, encoding)) return at
  for (let at = text.length >> 1; at > 0; at--) if (isBoundary(text, at, encoding)) return at
  return 0
}

function isBoundary(text: string, at: number, encoding: TextEncoding): boolean {
  return (text.charCodeAt(at) & 0xfc00) !== 0xdc00 && (encoding.waits?.(text.slice(at - 1, at)) ?? 0) === 0
}

const codePoint = (character: string) => `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`
