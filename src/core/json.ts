/**
 * Values → JSON text (RFC 8259) straight into an output buffer: what `JSON.stringify` writes, but for values that it
 * loses without a word. Those are written by a rule of their own, or refused.
 */
import { types } from 'node:util'
import type { OutputBuffer } from './bytes.ts'
import { UnwritableValue, withArticle } from './unwritable.ts'

export interface JsonRules {
  /** A bigint as a bare number with all its digits, or as a string. */
  readonly bigint: 'number' | 'string'
  /** NaN, ±Infinity and an invalid Date as null, as their text, or refused. */
  readonly nonFinite: 'null' | 'string' | 'error'
}

/** Longer strings are left to `JSON.stringify`, whose own scan is then quicker than a loop over characters. */
const SHORT_TEXT = 96
/** Nesting below which nobody looks for a circle: a circle gets there soon enough. */
const TRUSTED_DEPTH = 64
/** Key names kept in their encoded form. Rows with ever new keys must not fill the memory. */
const MAX_KEPT_KEYS = 4096

/** ASCII character → 0: written as it is; 1: as `\\u00XX`; else the letter that follows a backslash. */
const ESCAPES = new Uint8Array(128).fill(1, 0, 0x20)
for (const [character, letter] of ['""', '\\\\', '\bb', '\ff', '\nn', '\rr', '\tt']) {
  ESCAPES[character!.charCodeAt(0)] = letter!.charCodeAt(0)
}

const hasOwn = Object.prototype.hasOwnProperty

interface HasToJson {
  toJSON(key: string): unknown
}

/** The keys of the last object at one depth, in order, each with its bytes: the next object mostly has the same. */
interface Shape {
  readonly keys: string[]
  readonly heads: Uint8Array[]
}

export class JsonWriter {
  readonly #out: OutputBuffer
  readonly #rules: JsonRules
  readonly #shapes: Shape[] = []
  readonly #heads = new Map<string, Uint8Array>()
  readonly #ancestors: object[] = []

  constructor(out: OutputBuffer, rules: JsonRules) {
    this.#out = out
    this.#rules = rules
  }

  /** Writes an object or array. Throws UnwritableValue, with part of it written. */
  row(row: object): void {
    this.#ancestors.length = 0
    this.#guarded(row)
  }

  /** Writes any value but undefined. Throws UnwritableValue, with part of it written. */
  value(value: unknown): void {
    this.#ancestors.length = 0
    this.#guarded(value)
  }

  #guarded(value: unknown): void {
    try {
      this.#value(value)
    } catch (error) {
      if (error instanceof RangeError && /call stack/.test(error.message)) {
        throw new UnwritableValue('it is nested too deeply', 'write it flatter')
      }
      throw error
    }
  }

  #value(value: unknown): void {
    switch (typeof value) {
      case 'string':
        this.#string(value)
        return
      case 'number':
        this.#number(value)
        return
      case 'boolean':
        this.#out.appendAscii(value ? 'true' : 'false')
        return
      case 'object':
        if (value === null) this.#out.appendAscii('null')
        else this.#object(value)
        return
      case 'bigint':
        this.#bigint(value)
        return
      default:
        throw new UnwritableValue(`a ${typeof value} has no JSON form`)
    }
  }

  #string(text: string): void {
    const out = this.#out
    const count = text.length
    if (count <= SHORT_TEXT) {
      out.reserve(count + 2)
      const bytes = out.bytes
      let at = out.length
      bytes[at++] = 0x22
      let i = 0
      for (; i < count; i++) {
        const c = text.charCodeAt(i)
        if (c > 127 || ESCAPES[c] !== 0) break
        bytes[at + i] = c
      }
      if (i === count) {
        at += count
        bytes[at] = 0x22
        out.length = at + 1
      } else this.#mixedString(text, i)
      return
    }
    out.appendText(JSON.stringify(text))
  }

  /** A short string of which `done` characters are written, after the opening quote: the next one needs more care. */
  #mixedString(text: string, done: number): void {
    const out = this.#out
    const count = text.length
    out.reserve(count * 6 + 2)
    const bytes = out.bytes
    let at = out.length + 1 + done
    for (let i = done; i < count; i++) {
      const c = text.charCodeAt(i)
      if (c < 0x80) {
        const escape = ESCAPES[c]!
        if (escape === 0) bytes[at++] = c
        else if (escape !== 1) {
          bytes[at++] = 0x5c
          bytes[at++] = escape
        } else at += bytes.write(JSON.stringify(text[i]).slice(1, -1), at, 'latin1')
      } else if (c < 0x800) {
        bytes[at++] = 0xc0 | (c >> 6)
        bytes[at++] = 0x80 | (c & 0x3f)
      } else if (c < 0xd800 || c > 0xdfff) {
        bytes[at++] = 0xe0 | (c >> 12)
        bytes[at++] = 0x80 | ((c >> 6) & 0x3f)
        bytes[at++] = 0x80 | (c & 0x3f)
      } else {
        // Half of a pair alone is left to JSON.stringify, which escapes it.
        const point = text.codePointAt(i)!
        if (point < 0x10000) at += bytes.write(JSON.stringify(text[i]).slice(1, -1), at, 'latin1')
        else {
          bytes[at++] = 0xf0 | (point >> 18)
          bytes[at++] = 0x80 | ((point >> 12) & 0x3f)
          bytes[at++] = 0x80 | ((point >> 6) & 0x3f)
          bytes[at++] = 0x80 | (point & 0x3f)
          i++
        }
      }
    }
    bytes[at++] = 0x22
    out.length = at
  }

  #number(value: number): void {
    if (value - value === 0) this.#out.appendNumber(value)
    else this.#nonFinite(`${value}`)
  }

  #nonFinite(text: string): void {
    if (this.#rules.nonFinite === 'error') {
      throw new UnwritableValue(
        `${text} has no JSON form`,
        "write it as null or as text ({ nonFinite: 'null' | 'string' })",
      )
    }
    this.#out.appendAscii(this.#rules.nonFinite === 'null' ? 'null' : `"${text}"`)
  }

  #bigint(value: bigint): void {
    this.#out.appendAscii(this.#rules.bigint === 'number' ? `${value}` : `"${value}"`)
  }

  #object(value: object): void {
    const ancestors = this.#ancestors
    const depth = ancestors.length
    if (depth >= TRUSTED_DEPTH && ancestors.includes(value)) throw new UnwritableValue('it is circular')
    ancestors.push(value)
    if (typeof (value as { toJSON?: unknown }).toJSON === 'function') this.#converted(value as HasToJson, depth)
    else this.#contents(value, depth)
    ancestors.pop()
  }

  #contents(value: object, depth: number): void {
    if (Array.isArray(value)) this.#elements(value)
    else {
      const prototype: unknown = Object.getPrototypeOf(value)
      if (prototype === Object.prototype) this.#members(value, depth)
      else this.#other(value, depth)
    }
  }

  /** Objects that say themselves what they are in JSON, but for those that say it badly: bytes as numbers one by one. */
  #converted(value: HasToJson, depth: number): void {
    if (ArrayBuffer.isView(value)) this.#binary(value)
    else if (types.isDate(value) && Number.isNaN(value.getTime())) this.#nonFinite('Invalid Date')
    else {
      const json = value.toJSON('')
      // Asked only once, so that an object may give itself.
      if (typeof json === 'object' && json !== null) this.#contents(json, depth)
      else this.#value(json ?? null)
    }
  }

  #members(value: object, depth: number): void {
    const out = this.#out
    const start = out.length
    const { keys, heads } = (this.#shapes[depth] ??= { keys: [], heads: [] })
    let i = 0
    for (const key in value) {
      if (!hasOwn.call(value, key)) continue
      const member = (value as Record<string, unknown>)[key]
      if (member === undefined) continue
      if (keys[i] !== key) {
        keys[i] = key
        heads[i] = this.#head(key)
      }
      out.append(heads[i]!)
      i++
      if (typeof member === 'string') this.#string(member)
      else if (typeof member === 'number') this.#number(member)
      else this.#value(member)
    }
    out.reserve(2)
    if (out.length === start) out.length++
    // Each key comes with a comma before it; the first one's place is the brace's.
    out.bytes[start] = 0x7b
    out.bytes[out.length++] = 0x7d
  }

  /** `,"key":` as bytes. */
  #head(key: string): Uint8Array {
    let head = this.#heads.get(key)
    if (head === undefined) {
      head = Buffer.from(`,${JSON.stringify(key)}:`)
      if (this.#heads.size >= MAX_KEPT_KEYS) this.#heads.clear()
      this.#heads.set(key, head)
    }
    return head
  }

  #elements(values: ArrayLike<unknown>): void {
    const out = this.#out
    out.appendAscii('[')
    for (let i = 0; i < values.length; i++) {
      if (i > 0) out.appendAscii(',')
      // Left out, it would move those after it.
      this.#value(values[i] ?? null)
    }
    out.appendAscii(']')
  }

  /** Objects that are neither plain nor arrays. */
  #other(value: object, depth: number): void {
    if (ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value)) this.#binary(value)
    else if (types.isBoxedPrimitive(value)) this.#value(value.valueOf())
    else if (isRawJson(value)) this.#out.appendText(value.rawJSON)
    else {
      const kind = opaqueKind(value)
      if (kind !== undefined)
        throw new UnwritableValue(`${withArticle(kind)} has no JSON form`, 'turn it into an object or array')
      this.#members(value, depth)
    }
  }

  #binary(value: ArrayBufferView | ArrayBufferLike): void {
    if (isNumberArray(value)) this.#elements(value)
    else this.#out.appendAscii(`"${base64(value)}"`)
  }
}

/** Base64 of bytes (RFC 4648, section 4). */
export function base64(value: ArrayBufferView | ArrayBufferLike): string {
  const bytes = ArrayBuffer.isView(value)
    ? Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    : Buffer.from(value)
  return bytes.toString('base64')
}

/** What `JSON.rawJSON` makes, where there is such a function (Node 22). */
function isRawJson(value: object): value is { readonly rawJSON: string } {
  const { isRawJSON } = JSON as { isRawJSON?: (value: unknown) => boolean }
  return isRawJSON?.(value) === true
}

/** Typed arrays whose elements are more than bytes. */
function isNumberArray(value: ArrayBufferView | ArrayBufferLike): value is ArrayBufferView & ArrayLike<unknown> {
  return types.isTypedArray(value) && !types.isUint8Array(value) && !types.isUint8ClampedArray(value)
}

/** The kind of an object whose contents are not its members, so that member by member it would be written as `{}`. */
export function opaqueKind(value: object): string | undefined {
  if (types.isMap(value)) return 'Map'
  if (types.isSet(value)) return 'Set'
  if (types.isRegExp(value)) return 'RegExp'
  if (types.isNativeError(value) || value instanceof Error) return 'Error'
  if (types.isPromise(value)) return 'Promise'
  if (types.isWeakMap(value) || types.isWeakSet(value)) return 'weak collection'
  if (types.isGeneratorObject(value) || types.isMapIterator(value) || types.isSetIterator(value)) return 'iterator'
  return undefined
}
