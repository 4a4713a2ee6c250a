/** Where the fields of unquoted ASCII text end, found 64 bytes at a time. */
import { LINE_INDEX_WASM } from './line-index-wasm.ts'

/** Bytes of the largest block that is indexed; larger ones hold one long record, and gain nothing. */
export const MAX_INDEXED_BYTES = 32_768
/** What the code may read beyond a block. */
const PADDING = 64
const ENDS = MAX_INDEXED_BYTES + PADDING
const RECORDS = ENDS + 4 * MAX_INDEXED_BYTES

/** The part of WebAssembly that is used; its types come only with those of browsers. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object) => { readonly exports: object }
}

interface LineIndexExports {
  readonly memory: { readonly buffer: ArrayBuffer }
  readonly index: (block: number, length: number, ends: number, records: number, delimiter: number) => number
}

export interface LineIndex {
  /** Offset of each delimiter and each LF, in order. */
  readonly ends: Int32Array
  /** For each LF, its index in `ends`. */
  readonly records: Int32Array
  /** Indexes a block, and gives the number of its LFs. What the index held before is gone. */
  index(block: Uint8Array, delimiter: number): number
}

let shared: LineIndex | null | undefined

/**
 * The one index of the process: it is filled and used up without a wait between. `null` where there is no WebAssembly,
 * or none with SIMD.
 */
export function lineIndex(): LineIndex | null {
  if (shared === undefined) {
    try {
      shared = createIndex()
    } catch {
      shared = null // forbidden, or of another kind: the loop over `indexOf` does the same
    }
  }
  return shared
}

function createIndex(): LineIndex {
  const instance = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(LINE_INDEX_WASM, 'base64')))
  const { memory, index } = instance.exports as LineIndexExports
  const bytes = new Uint8Array(memory.buffer)
  return {
    ends: new Int32Array(memory.buffer, ENDS, MAX_INDEXED_BYTES),
    records: new Int32Array(memory.buffer, RECORDS, MAX_INDEXED_BYTES),
    index(block, delimiter) {
      bytes.set(block)
      bytes.fill(0, block.length, block.length + PADDING)
      return index(0, block.length, ENDS, RECORDS, delimiter)
    },
  }
}
