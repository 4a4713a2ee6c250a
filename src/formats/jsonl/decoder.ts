import { type Block, BlockSplitter } from '../../core/blocks.ts'
import { createError, type ErrorCode, type ErrorDetails, excerpt } from '../../core/errors.ts'
import { findUnsafeIntegers, indexOfUnsafeInteger, parseWithBigInts, parseWithText } from '../../core/json-integers.ts'
import { parseJson } from '../../core/json-parse.ts'
import type { Batch, Decoder, ReadContext, Row } from '../../core/types.ts'
import { AlikeParser } from './alike-parse.ts'
import { BlockParser } from './block-parse.ts'
import type { JsonlReadOptions } from './read-options.ts'
import { findSyntaxFault } from './syntax.ts'

const DEFAULT_MAX_RECORD_BYTES = 16 * 1024 * 1024
/** A line's end, which does not count. */
const MAX_LINE_END_BYTES = 2
const LINE_FEED = 10
const CARRIAGE_RETURN = 13
const BYTE_ORDER_MARK = '\uFEFF'
const MARK_BYTES = 3
/** What JSON counts as space, but for the line feed; JavaScript's `trim` takes more. */
const BLANK = /^[ \t\r]*$/
/** Characters of bad input that a message shows. */
const MAX_EXCERPT = 40

/**
 * Unlike cells that are cut out of a CSV, values that are parsed keep nothing of their block: it may be larger. Not so
 * large that its text, of two bytes a character, gets into the space of V8 that is collected seldom (128 KiB and more).
 */
const BLOCK_BYTES = 65_536

/** In half of that the calls for each piece cost more; of twice as much, fewer pieces are ASCII. */
const PIECE_BYTES = 8192

/** Of lines that are alike, values are cut out of the text, and keep it; so it is as small as that of a CSV. */
const ALIKE_BLOCK_BYTES = 8192
/** Bytes that are read before it is asked whether lines are alike: in a small file it would not pay. */
const BYTES_BEFORE_LEARNING = 65_536

/**
 * JSONL → rows: lines that are alike by `AlikeParser`, else a block at once where `BlockParser` proves that to be the same,
 * else line by line.
 */
export class JsonlDecoder implements Decoder {
  readonly #splitter: BlockSplitter
  readonly #parser = new BlockParser()
  readonly #alike: AlikeParser
  readonly #label: string
  readonly #onBadRecord: ReadContext['onBadRecord']
  readonly #maxRecordBytes: number
  readonly #bigint: 'auto' | 'string' | 'number' | 'error'
  readonly #replaces: boolean
  readonly #wrapValues: string | undefined
  /** Lines that were passed, records among them, and bytes of the blocks that were passed. */
  #lines = 0
  #records = 0
  #bytes = 0
  /** `#lines` at the start of the block in hand. */
  #blockLines = 0
  /** What stopped the decoder; it does not go on after it, as part of a chunk was left unread. */
  #failure: { readonly error: unknown } | undefined

  constructor(options: JsonlReadOptions, context: Pick<ReadContext, 'label' | 'onBadRecord'>) {
    this.#label = context.label
    this.#onBadRecord = (error, raw) => context.onBadRecord(error, raw)
    this.#maxRecordBytes = options.maxRecordBytes ?? DEFAULT_MAX_RECORD_BYTES
    this.#bigint = options.bigint ?? 'auto'
    this.#alike = new AlikeParser(this.#bigint !== 'number')
    this.#replaces = options.encodingErrors === 'replace'
    this.#wrapValues = options.wrapValues
    this.#splitter = new BlockSplitter({
      terminator: LINE_FEED,
      maxRecordBytes: this.#maxRecordBytes + MAX_LINE_END_BYTES,
      encodingErrors: options.encodingErrors ?? 'raise',
      blockBytes: BLOCK_BYTES,
      pieceBytes: PIECE_BYTES,
      tooLarge: () => this.#tooLarge(this.#bytes),
    })
  }

  decode(chunk: Uint8Array): Iterable<Batch> {
    return this.#batches(this.#splitter.push(chunk))
  }

  flush(): Iterable<Batch> {
    return this.#batches(this.#splitter.flush())
  }

  *#batches(blocks: Iterable<Block>): Generator<Batch, void, undefined> {
    if (this.#failure !== undefined) throw this.#failure.error
    let rows: Row[] = []
    try {
      for (const block of blocks) {
        rows = this.#readBlock(block, rows)
        if (block.more === true || rows.length === 0) continue
        const batch = rows
        rows = []
        yield batch
      }
    } catch (error) {
      this.#failure = { error }
      if (rows.length > 0) yield rows
      throw error
    }
  }

  /** Adds the rows of a block to `rows`, which are there also when this throws; gives back `rows` or what is to take its place. */
  #readBlock(block: Block, rows: Row[]): Row[] {
    const alike = this.#alike
    // Where bytes were replaced, places in the text are not those that the scan finds.
    const takes = block.bytes <= this.#maxRecordBytes && (block.ascii || !this.#replaces)
    if (!takes || !alike.ready || !alike.begin(block)) {
      if (takes && !alike.ready && this.#bytes >= BYTES_BEFORE_LEARNING) {
        alike.learn(block)
        if (alike.ready) this.#splitter.blockBytes = ALIKE_BLOCK_BYTES
      }
      return this.#read(block, rows)
    }
    for (;;) {
      const before = alike.at
      const count = alike.take(rows)
      this.#lines += count
      this.#records += count
      this.#bytes += alike.at - before
      if (!alike.ended) {
        const others = this.#read(alike.leave(), rows)
        if (others !== rows) for (let i = 0; i < others.length; i++) rows.push(others[i]!)
      }
      if (!alike.ready) this.#splitter.blockBytes = BLOCK_BYTES
      if (alike.ended) return rows
    }
  }

  /** The same for lines of any kind. */
  #read(block: Block, rows: Row[]): Row[] {
    this.#blockLines = this.#lines
    const mark = this.#bytes === 0 && block.text.startsWith(BYTE_ORDER_MARK)
    const suspect = this.#bigint === 'number' ? -1 : indexOfUnsafeInteger(block.source, mark ? MARK_BYTES : 0)
    if (suspect < 0 && block.bytes <= this.#maxRecordBytes) {
      const parsed = this.#parser.parse(block)
      if (parsed !== undefined) {
        // None of the lines needs a look of its own.
        this.#lines += parsed.length
        this.#records += parsed.length
        this.#bytes += block.bytes
        if (rows.length === 0) return parsed
        for (let i = 0; i < parsed.length; i++) rows.push(parsed[i]!)
        return rows
      }
    }
    this.#readLines(block, rows, mark, suspect)
    this.#bytes += block.bytes
    return rows
  }

  /**
   * The same line by line. `suspect` is where in the block's bytes an unsafe integer may be, or −1; only when that matters
   * are lines followed in the bytes too.
   */
  #readLines(block: Block, rows: Row[], mark: boolean, suspect: number): void {
    const { text, source, ascii } = block
    const limited = block.bytes > this.#maxRecordBytes
    let startByte = 0
    for (let start = mark ? 1 : 0; start < text.length; ) {
      let end = text.indexOf('\n', start)
      if (end < 0) end = text.length
      const line = text.slice(start, end)
      start = end + 1
      let careful = false
      if (suspect >= 0 || limited) {
        const lineFeed = ascii ? end : source.indexOf(LINE_FEED, startByte)
        const endByte = lineFeed < 0 ? block.bytes : lineFeed
        if (limited) this.#checkSize(source, startByte, endByte)
        careful = suspect >= 0 && suspect < endByte
        if (careful) suspect = indexOfUnsafeInteger(source, endByte)
        startByte = endByte + 1
      }
      this.#lines++
      if (line === '' || line === '\r') continue
      this.#records++
      if (block.invalidAt !== undefined) {
        this.#refuseText(block, block.invalidAt, line)
        continue
      }
      const value = careful ? this.#parseCarefully(block, line) : this.#parse(block, line)
      if (typeof value === 'object' && value !== null) rows.push(value as Row)
      else if (value === undefined) continue
      else if (this.#wrapValues !== undefined) rows.push({ [this.#wrapValues]: value })
      else this.#refuseValue(block, line)
    }
  }

  /** The value of a line, or `undefined` if it was left out: blank, or a bad record that is skipped. */
  #parse(block: Block, line: string): unknown {
    try {
      return parseJson(line)
    } catch (error) {
      this.#refuse(block, line, error)
      return undefined
    }
  }

  /** The same for a line that may hold unsafe integers. */
  #parseCarefully(block: Block, line: string): unknown {
    const places = findUnsafeIntegers(line)
    const [start, end] = places
    if (start === undefined) return this.#parse(block, line)
    if (this.#bigint === 'error') {
      if (this.#parse(block, line) !== undefined) this.#refuseInteger(block, line, start, line.slice(start, end))
      return undefined
    }
    try {
      return this.#bigint === 'string' ? parseWithText(line, places) : parseWithBigInts(line, places)
    } catch (error) {
      this.#refuse(block, line, syntaxErrorOf(line) ?? error)
      return undefined
    }
  }

  /** A line that `JSON.parse` does not take. */
  #refuse(block: Block, line: string, cause: unknown): void {
    if (BLANK.test(line)) {
      this.#records--
      return
    }
    const record = withoutReturn(line)
    const fault = findSyntaxFault(record)
    if (fault === undefined) {
      this.#bad('JSON_INVALID', `the line cannot be read: ${String(cause)}`, block, line, 0, { cause })
      return
    }
    const { at, expected } = fault
    const early = at === record.length
    const found = early ? 'the end of the line' : excerpt(record.slice(at, at + MAX_EXCERPT), MAX_EXCERPT)
    this.#bad('JSON_INVALID', `the line is not JSON: expected ${expected}, found ${found}`, block, line, at, {
      expected,
      found,
      hint: hintFor(line, early && fault.depth > 0),
      cause,
    })
  }

  #refuseValue(block: Block, line: string): void {
    const at = line.search(/[^ \t\r]/)
    const found = excerpt(line.trim().slice(0, MAX_EXCERPT), MAX_EXCERPT)
    const expected = 'an object or an array'
    this.#bad('JSON_NOT_A_ROW', `expected ${expected}, found ${found}`, block, line, at, { expected, found })
  }

  #refuseInteger(block: Block, line: string, at: number, digits: string): void {
    const found = digits.length > MAX_EXCERPT ? `${digits.slice(0, MAX_EXCERPT)}…` : digits
    this.#bad('JSON_UNSAFE_INTEGER', `no number holds the integer ${found} exactly`, block, line, at, {
      expected: 'an integer within ±9007199254740991',
      found,
      hint: "read with { bigint: 'auto' } to get a BigInt, or { bigint: 'string' } to get its digits",
    })
  }

  /** The block is this line; `invalidAt` counts from its first byte. */
  #refuseText(block: Block, invalidAt: number, line: string): void {
    const startByte = this.#startOf(block)
    const at = block.source.toString('utf8', startByte, invalidAt).length
    const found = `the byte 0x${block.source[invalidAt]!.toString(16)}`
    this.#bad('TEXT_INVALID_UTF8', `${found} is not UTF-8 here`, block, line, at, { expected: 'UTF-8', found })
  }

  /** Reports the line in hand as a bad record; `at` is where in it. Returns if reading is to go on. */
  #bad(code: ErrorCode, summary: string, block: Block, line: string, at: number, details: ErrorDetails): void {
    const startByte = this.#startOf(block)
    const error = createError(code, summary, {
      label: this.#label,
      line: this.#lines,
      column: at + 1,
      byte: this.#bytes + startByte + byteIndex(block, startByte, line, at),
      record: this.#records,
      ...details,
    })
    this.#onBadRecord(error, withoutReturn(line))
  }

  /** Where in the block's bytes the line in hand begins. */
  #startOf(block: Block): number {
    let start = 0
    for (let line = this.#blockLines + 1; line < this.#lines; line++) start = block.source.indexOf(LINE_FEED, start) + 1
    return this.#bytes === 0 && start === 0 && block.text.startsWith(BYTE_ORDER_MARK) ? MARK_BYTES : start
  }

  #checkSize(source: Buffer, start: number, end: number): void {
    const bytes = end - start - (source[end - 1] === CARRIAGE_RETURN ? 1 : 0)
    if (bytes > this.#maxRecordBytes) throw this.#tooLarge(this.#bytes + start)
  }

  /** For the line after those that were passed. */
  #tooLarge(byte: number): Error {
    const expected = `at most ${this.#maxRecordBytes} bytes`
    return createError('RECORD_TOO_LARGE', `the line is longer than maxRecordBytes, ${this.#maxRecordBytes}`, {
      label: this.#label,
      line: this.#lines + 1,
      column: 1,
      byte,
      record: this.#records + 1,
      expected,
      found: 'more',
      hint: 'raise maxRecordBytes if the record is meant to be this large; JSONL needs a line feed after each record',
    })
  }
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line
}

function syntaxErrorOf(line: string): unknown {
  try {
    JSON.parse(line)
    return undefined
  } catch (error) {
    return error
  }
}

function hintFor(line: string, unclosed: boolean): string | undefined {
  if (unclosed) return 'each record must be whole on one line; a JSON document over several lines is not JSONL'
  if (line.startsWith('\x1e')) return 'these are JSON text sequences (RFC 7464): remove the record separators (0x1e)'
  return undefined
}

/** How many bytes stand before the character `at` of the line that begins at `startByte`. */
function byteIndex(block: Block, startByte: number, line: string, at: number): number {
  if (block.ascii) return at
  const before = line.slice(0, at)
  if (!before.includes('\uFFFD')) return Buffer.byteLength(before)
  // Up to three invalid bytes were replaced by one character: look for the longest run of bytes with no more characters.
  let low = 0
  let high = Math.min(block.source.length - startByte, at * 3)
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (block.source.toString('utf8', startByte, startByte + middle).length <= at) low = middle
    else high = middle - 1
  }
  return low
}
