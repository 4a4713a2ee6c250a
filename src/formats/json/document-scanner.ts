/**
 * The way through a JSON document to its rows: white space, brackets, commas and keys around them; what is no row is
 * skipped. `ValueScanner` does the values. Memory holds one row that is not whole yet, and the way that leads to it.
 */
import { createError, excerpt } from '../../core/errors.ts'
import { pointerOf } from './pointer.ts'
import { RowWindow, type Run } from './row-window.ts'
import { Utf8Check } from './utf8-check.ts'
import { ValueScanner } from './value-scanner.ts'

export interface DocumentOptions {
  readonly label: string
  /** The keys and indices that lead to the rows. */
  readonly tokens: readonly string[]
  readonly entries: boolean
  readonly concatenated: boolean | undefined
  /** Whether values that are neither objects nor arrays may be rows. */
  readonly scalars: boolean
  readonly maxRecordBytes: number
  /** Whether what is skipped must be UTF-8. */
  readonly checkUtf8: boolean
}

/** An object or array that the way leads through, or the last one, whose members or elements are the rows. */
interface Level {
  readonly object: boolean
  /** The key or index where the way goes on; none in the last one. */
  readonly token: string | undefined
  /** Elements begun. */
  elements: number
  found: boolean
  /** Keys met, for a message. */
  readonly keys: string[]
}

const NO_BYTES = Buffer.alloc(0)
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf]
const LINE_FEED = 10
const QUOTE = 34
const COMMA = 44
const OPEN_BRACKET = 91
const OPEN_BRACE = 123
/** Keys that a message names, and characters of one, or of bad input. */
const MAX_KEYS = 8
const MAX_EXCERPT = 40
/** Most bytes that a character of a key can take, as an escape. */
const ESCAPE_BYTES = 6

type Task = 'none' | 'skip' | 'key' | 'row' | 'key of row'
type State = 'start' | 'value' | 'first' | 'key' | 'colon' | 'rest' | 'end'

export class DocumentScanner {
  readonly #options: DocumentOptions
  readonly #value = new ValueScanner()
  readonly #utf8 = new Utf8Check()
  readonly #levels: Level[] = []
  /** Bytes of a key that are worth keeping. */
  readonly #maxKeyBytes: number
  #state: State = 'start'
  /** What the value in hand is read for. */
  #task: Task = 'none'
  /** Whether the member whose key was read last is on the way. */
  #leads = false
  #key = NO_BYTES
  /** Bytes of the byte order mark that were passed. */
  #mark = 0
  /** The last value of the document, while nothing stands behind it. */
  #last: 'object' | 'scalar' | 'other' = 'other'
  #glued = false

  readonly #window = new RowWindow()
  #at = 0

  constructor(options: DocumentOptions) {
    this.#options = options
    const longest = Math.max(MAX_EXCERPT, ...options.tokens.map(token => token.length))
    this.#maxKeyBytes = longest * ESCAPE_BYTES + 2
  }

  /** Gives the next chunk, which must stay as it is until all of it is scanned. */
  push(chunk: Buffer): void {
    this.#window.push(chunk)
    this.#at = 0
  }

  /** Goes on until a run is ready or the chunk is done; throws where the document is wrong. */
  scan(): void {
    const window = this.#window
    const { bytes } = window
    while (this.#at < bytes.length) {
      this.#at = this.#task === 'none' ? this.#structure(bytes, this.#at) : this.#scanValue(bytes, this.#at)
      if (window.hasRun && (window.isRunFull || this.#mayChange())) return
    }
    if (window.hasRun) return
    this.#checkSize(this.#at)
    window.keep()
    this.#at = 0
  }

  /** At the end of the input: throws if the document is not whole. */
  finish(): void {
    if (this.#task !== 'none') {
      const value = this.#value
      value.finish()
      if (!value.done) throw this.#fault(this.#at, value.expected ?? 'more')
      this.#checkSize(this.#at)
      this.#endValue(this.#at)
    }
    const { tokens, label } = this.#options
    if (this.#state === 'start' && tokens.length > 0) {
      throw createError('JSON_POINTER_NOT_FOUND', `the input is empty, there is no ${pointerOf(tokens)}`, {
        label,
        expected: pointerOf(tokens),
        found: 'empty input',
      })
    }
    const started = this.#state !== 'start' || (this.#mark > 0 && this.#mark < BYTE_ORDER_MARK.length)
    if (started && this.#state !== 'end') throw this.#fault(this.#at, this.#expected())
  }

  /** The rows that are whole, if any; they are then done with. */
  takeRun(): Run | undefined {
    return this.#window.takeRun()
  }

  /** Whether rows that follow may be of another kind. */
  #mayChange(): boolean {
    return this.#state === 'end' && (this.#options.tokens.length > 0 || this.#options.entries)
  }

  /** Reads one token that is around the rows, not in one; gives back the index behind it. */
  #structure(bytes: Buffer, at: number): number {
    const byte = bytes[at]!
    if (byte === LINE_FEED || byte === 32 || byte === 9 || byte === 13) {
      if (byte === LINE_FEED) this.#window.lines++
      this.#glued = false
      return at + 1
    }
    const level = this.#levels.at(-1)
    switch (this.#state) {
      case 'start':
        if (this.#mark < BYTE_ORDER_MARK.length && byte === BYTE_ORDER_MARK[this.#mark]) return this.#passMark(at)
        if (this.#mark > 0 && this.#mark < BYTE_ORDER_MARK.length) throw this.#fault(at, this.#expected())
        return this.#beginValue(at, byte)
      case 'end':
        if (!this.#mayFollow(byte)) throw this.#fault(at, this.#expected())
        return this.#beginValue(at, byte)
      case 'value':
        return this.#beginValue(at, byte)
      case 'first':
      case 'rest':
        // The closing brackets come two behind the opening ones.
        if (byte === (level!.object ? OPEN_BRACE : OPEN_BRACKET) + 2) return this.#close(at)
        if (this.#state === 'rest') {
          if (byte !== COMMA) throw this.#fault(at, this.#expected())
          this.#state = level!.object ? 'key' : 'value'
          return at + 1
        }
        return level!.object ? this.#beginKey(at, byte) : this.#beginValue(at, byte)
      case 'key':
        return this.#beginKey(at, byte)
      case 'colon':
        if (byte !== 58) throw this.#fault(at, this.#expected())
        this.#state = 'value'
        return at + 1
    }
  }

  #passMark(at: number): number {
    if (this.#window.offsetOf(at) !== this.#mark) throw this.#fault(at, this.#expected())
    this.#mark++
    if (this.#mark === BYTE_ORDER_MARK.length) this.#window.passMark(at + 1)
    return at + 1
  }

  /** Whether another value may begin behind that of the document. */
  #mayFollow(byte: number): boolean {
    const { concatenated, tokens, entries } = this.#options
    if (concatenated === true) return !this.#glued || byte === OPEN_BRACE || byte === OPEN_BRACKET
    return (
      concatenated === undefined &&
      this.#last === 'object' &&
      tokens.length + Number(entries) === 0 &&
      byte === OPEN_BRACE
    )
  }

  #beginKey(at: number, byte: number): number {
    if (byte !== QUOTE) throw this.#fault(at, this.#expected())
    const level = this.#levels.at(-1)!
    if (level.token === undefined) {
      this.#window.beginRow(at, 'members')
      this.#begin('key of row')
    } else {
      this.#key = NO_BYTES
      this.#begin('key')
    }
    return at
  }

  #beginValue(at: number, byte: number): number {
    const { tokens, entries, concatenated, scalars } = this.#options
    const level = this.#levels.at(-1)
    if (level?.token === undefined && level !== undefined) {
      if (!level.object) this.#window.beginRow(at, 'elements')
      this.#begin('row')
      return at
    }
    if (level !== undefined) {
      if (!level.object) {
        this.#leads = String(level.elements++) === level.token
        if (this.#leads) level.found = true
      }
      if (!this.#leads) {
        this.#begin('skip')
        return at
      }
    } else {
      this.#last = byte === OPEN_BRACE ? 'object' : byte === OPEN_BRACKET || byte === QUOTE ? 'other' : 'scalar'
    }
    const depth = this.#levels.length
    const object = byte === OPEN_BRACE
    const container = object || byte === OPEN_BRACKET
    const opens = depth < tokens.length || (object ? entries : depth > 0 || entries || concatenated !== true)
    if (container && opens) {
      this.#levels.push({ object, token: tokens[depth], elements: 0, found: false, keys: [] })
      this.#state = 'first'
      return at + 1
    }
    if (!container && tokens.length > 0 && (depth < tokens.length || !scalars)) {
      const found = scalarKind(byte)
      if (found !== undefined) throw this.#notFound(at, depth, found)
    }
    this.#window.beginRow(at, 'values')
    this.#begin('row')
    return at
  }

  #begin(task: Task): void {
    this.#task = task
    this.#value.begin()
  }

  /** Goes on in the value in hand. */
  #scanValue(bytes: Buffer, at: number): number {
    const value = this.#value
    const window = this.#window
    const { maxRecordBytes, checkUtf8 } = this.#options
    const { inRow } = window
    // One byte more than a row may have, so that chunks of any size find the same fault.
    const limit = inRow ? at + maxRecordBytes + 1 - window.rowBytes(at) : bytes.length
    const stop = value.scan(bytes, at, Math.min(limit, bytes.length))
    window.lines += value.lines
    value.lines = 0
    if (!inRow) {
      const invalid = checkUtf8 ? this.#utf8.invalidIn(bytes, at, stop) : undefined
      if (invalid !== undefined) throw this.#invalidText(invalid)
      if (this.#task === 'key' && this.#key.length < this.#maxKeyBytes)
        this.#key = Buffer.concat([this.#key, bytes.subarray(at, stop)])
    }
    if (value.expected !== undefined) throw this.#fault(stop, value.expected)
    this.#checkSize(stop)
    if (value.done) this.#endValue(stop)
    return stop
  }

  #checkSize(at: number): void {
    const { inRow } = this.#window
    if (inRow && this.#window.rowBytes(at) > this.#options.maxRecordBytes) throw this.#tooLarge()
  }

  #endValue(at: number): void {
    const task = this.#task
    this.#task = 'none'
    if (task === 'key') this.#endKey(at)
    if (task === 'key' || task === 'key of row') {
      this.#state = 'colon'
      return
    }
    this.#state = this.#levels.length === 0 ? 'end' : 'rest'
    this.#glued = this.#last === 'scalar'
    if (task === 'row') this.#window.endRow(at, this.#value.longIntegers)
  }

  #endKey(at: number): void {
    const level = this.#levels.at(-1)!
    const text = this.#key.toString('utf8')
    const whole = this.#key.length <= this.#maxKeyBytes
    const key: string = whole ? JSON.parse(text) : `${text.slice(1, MAX_EXCERPT)}…`
    if (level.keys.length < MAX_KEYS) level.keys.push(key)
    this.#leads = whole && key === level.token
    if (!this.#leads) return
    if (level.found) {
      const pointer = pointerOf(this.#options.tokens.slice(0, this.#levels.length))
      throw createError('JSON_POINTER_AMBIGUOUS', `${pointer} is there twice, and the first one was read`, {
        label: this.#options.label,
        ...this.#window.spotAt(at - 1),
        expected: 'a key that occurs once',
        found: excerpt(key, MAX_EXCERPT),
      })
    }
    level.found = true
  }

  #close(at: number): number {
    const level = this.#levels.at(-1)!
    if (level.token !== undefined && !level.found) {
      throw this.#notFound(at, this.#levels.length - 1, level.object ? describeKeys(level.keys) : describeArray(level))
    }
    this.#levels.pop()
    this.#state = this.#levels.length === 0 ? 'end' : 'rest'
    return at + 1
  }

  /** What could stand next. */
  #expected(): string {
    const object = this.#levels.at(-1)?.object === true
    switch (this.#state) {
      case 'start':
      case 'value':
        return 'a value'
      case 'first':
        return object ? "a key in double quotes, or '}'" : "a value, or ']'"
      case 'key':
        return 'a key in double quotes'
      case 'colon':
        return "':'"
      case 'rest':
        return object ? "',' or '}'" : "',' or ']'"
      case 'end':
        if (this.#options.concatenated === true) return 'white space, or the end of the input'
        return this.#mayFollow(OPEN_BRACE) ? 'an object, or the end of the input' : 'the end of the input'
    }
  }

  #fault(at: number, expected: string): Error {
    const { bytes } = this.#window
    const atEnd = at >= bytes.length
    const text = bytes.toString('utf8', at, at + MAX_EXCERPT)
    const found = atEnd ? 'the end of the input' : excerpt(text, MAX_EXCERPT)
    return createError('JSON_INVALID', `this is not JSON: expected ${expected}, found ${found}`, {
      label: this.#options.label,
      ...this.#window.spotAt(at),
      expected,
      found,
      hint: this.#hint(atEnd),
    })
  }

  #hint(atEnd: boolean): string | undefined {
    if (atEnd) return 'the input was cut short, or a closing bracket or quote is missing'
    if (this.#state !== 'end' || this.#task !== 'none' || this.#options.concatenated !== undefined) return undefined
    return 'several values in one input are read with { concatenated: true }'
  }

  #invalidText(at: number): Error {
    const { column, byte, ...spot } = this.#window.spotAt(Math.max(at, 0))
    // It may have begun in the chunk before.
    const early = at < 0
    const found = early ? 'a sequence' : `the byte 0x${this.#window.bytes[at]!.toString(16)}`
    return createError('TEXT_INVALID_UTF8', `${found} is not UTF-8 here`, {
      label: this.#options.label,
      ...spot,
      column: early ? column - this.#utf8.begunUnits : column,
      byte: early ? byte + at : byte,
      expected: 'UTF-8',
      found,
    })
  }

  #tooLarge(): Error {
    const { maxRecordBytes, label } = this.#options
    return createError('RECORD_TOO_LARGE', `the row is larger than maxRecordBytes, ${maxRecordBytes}`, {
      label,
      ...this.#window.rowSpot(),
      expected: `at most ${maxRecordBytes} bytes`,
      found: 'more',
      hint:
        this.#levels.length === 0
          ? "the rows of an array inside of an object are read with { pointer: '/its/key' }; or raise maxRecordBytes"
          : 'raise maxRecordBytes if the row is meant to be this large',
    })
  }

  /** For the way that ends at the level `depth`, where there is `found`. */
  #notFound(at: number, depth: number, found: string): Error {
    const { tokens } = this.#options
    const [pointer, reached] = [pointerOf(tokens), pointerOf(tokens.slice(0, depth))]
    const where = reached === '' ? 'the document' : `the value at ${reached}`
    return createError('JSON_POINTER_NOT_FOUND', `there are no rows at ${pointer}: ${where} is ${found}`, {
      label: this.#options.label,
      ...this.#window.spotAt(at),
      expected: pointer,
      found,
    })
  }
}

/** What a value is whose first byte this is; `undefined` if none begins so. */
function scalarKind(byte: number): string | undefined {
  const character = String.fromCharCode(byte)
  if (character === '"') return 'a text'
  if (/[-0-9]/.test(character)) return 'a number'
  return { t: 'true', f: 'false', n: 'null' }[character]
}

function describeKeys(keys: readonly string[]): string {
  if (keys.length === 0) return 'an empty object'
  return `an object with the keys ${keys.map(key => excerpt(key, MAX_EXCERPT)).join(', ')}${keys.length < MAX_KEYS ? '' : ', …'}`
}

function describeArray({ elements }: Level): string {
  return `an array of ${elements} ${elements === 1 ? 'element' : 'elements'}`
}
