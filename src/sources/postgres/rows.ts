/** DataRow messages → rows, by a function made for the columns at hand. */
import { GeneratedFunctions, literalKey } from '../../core/generated-code.ts'
import type { Row } from '../../core/types.ts'
import type { ColumnDecoding } from './types.ts'
import type { MessageBytes } from './values.ts'

/**
 * Makes a row of the fields that begin at `start`. `text` has the bytes from `base` on as latin1, so that ASCII is cut
 * out of one string; where it is null, from the bytes.
 */
export type RowBuilder = (bytes: MessageBytes, start: number, text: string | null, base: number) => Row

/** A column of the rows. */
export interface RowColumn extends Pick<ColumnDecoding, 'decode' | 'ascii'> {
  readonly name: string
}

/** Rows that are built by the loop before a function is generated, which small results do not repay. */
const ROWS_BEFORE_COMPILING = 200
const MAX_COMPILED_COLUMNS = 300
/** Up to this length, looking at each byte of a text is quicker than a call that decodes UTF-8. */
const SHORT_TEXT = 40
/** Text is decoded for so many bytes of messages at once: a row that is kept holds no more than that. */
export const BLOCK_BYTES = 8192

type Make = (columns: readonly RowColumn[], text: typeof decodeText) => RowBuilder
const makers = new GeneratedFunctions<Make>('columns', 'decodeText')

/** Builds rows of one shape: by a loop first, by generated code once there are many. */
export class RowMaker {
  readonly #columns: readonly RowColumn[]
  #builder: RowBuilder
  #built = 0
  #compiled = false

  constructor(columns: readonly RowColumn[]) {
    this.#columns = columns
    this.#builder = loopBuilder(columns)
  }

  /** To be called for each run of rows, with their number. */
  builderFor(rows: number): RowBuilder {
    if (!this.#compiled && (this.#built += rows) > ROWS_BEFORE_COMPILING) {
      this.#compiled = true
      this.#builder = compileBuilder(this.#columns) ?? this.#builder
    }
    return this.#builder
  }
}

function decodeText(bytes: MessageBytes, start: number, length: number, text: string | null, base: number): string {
  const end = start + length
  if (text === null || length > SHORT_TEXT) return bytes.utf8Slice(start, end)
  for (let at = start; at < end; at++) if (bytes[at]! > 127) return bytes.utf8Slice(start, end)
  return text.substring(start - base, end - base)
}

const lengthAt = (bytes: MessageBytes, at: number): number =>
  (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!

/** A builder without generated code, for the first rows and for where there can be no other. */
export function loopBuilder(columns: readonly RowColumn[]): RowBuilder {
  return (bytes, start, text, base) => {
    const row: Row = {}
    let at = start
    for (const { name, decode, ascii } of columns) {
      const length = lengthAt(bytes, at)
      at += 4
      let value: unknown = null
      if (length >= 0) {
        if (decode !== undefined) value = decode(bytes, at, length)
        else if (ascii && text !== null) value = text.substring(at - base, at - base + length)
        else value = decodeText(bytes, at, length, text, base)
        at += length
      }
      if (name === '__proto__') {
        Object.defineProperty(row, name, { value, enumerable: true, configurable: true, writable: true })
      } else row[name] = value
    }
    return row
  }
}

/**
 * A builder generated for the columns: one object literal, so that each row has its hidden class from birth. Null where
 * there are too many columns for it to pay, or where Node forbids code from strings.
 */
export function compileBuilder(columns: readonly RowColumn[]): RowBuilder | null {
  if (columns.length > MAX_COMPILED_COLUMNS) return null
  const kinds = columns.map(({ name, decode, ascii }) => [name, decode !== undefined ? 'd' : ascii ? 'a' : 't'])
  const id = JSON.stringify(kinds)
  const make = makers.get(id, () => source(kinds as [string, string][]))
  return make === null ? null : make(columns, decodeText)
}

function source(kinds: readonly (readonly [name: string, kind: string])[]): string {
  const fields = kinds.map(([, kind], i) => {
    const value =
      kind === 'd'
        ? `d${i}(b,p,n)`
        : kind === 'a'
          ? 's===null?b.latin1Slice(p,p+n):s.substring(p-base,p-base+n)'
          : 'decodeText(b,p,n,s,base)'
    return `n=(b[p]<<24)|(b[p+1]<<16)|(b[p+2]<<8)|b[p+3];p+=4
let v${i}=null
if(n>=0){v${i}=${value};p+=n}`
  })
  const decoders = kinds.map((_, i) => `d${i}=columns[${i}].decode`)
  const keys = kinds.map(([name], i) => `${literalKey(name)}:v${i}`)
  return `'use strict'
${decoders.length === 0 ? '' : `const ${decoders.join(',')}`}
return (b,p,s,base)=>{
let n
${fields.join('\n')}
return {${keys.join(',')}}
}`
}
