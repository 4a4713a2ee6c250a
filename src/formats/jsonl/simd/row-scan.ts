/** The values of lines that are alike, found 16 bytes at a time. */
import { ROW_SCAN_WASM } from './row-scan-wasm.ts'

/** Bytes of the largest block that is scanned; larger ones hold long lines, and gain nothing. */
export const MAX_SCANNED_BYTES = 65_536
/** What the code may read beyond a block. */
const PADDING = 64
/** Bytes that are compared at once, and what is kept for each such step: them, and which of them count. */
const STEP = 16
const STEP_BYTES = 2 * STEP
/** What is told of a node before its bytes. */
const HEAD_BYTES = 32

// The places in memory that row-scan.wat has.
const POWERS = 65_664
const RESULTS = 65_840
const TREE = 65_856
const MAX_TREE_BYTES = 65_536
const STARTS = TREE + MAX_TREE_BYTES
const CELLS = 16_384
const ENDS = STARTS + 4 * CELLS
const NUMBERS = ENDS + 4 * CELLS
const SHAPES = NUMBERS + 8 * CELLS
/** The largest power of ten that a number is divided by has this exponent. */
const MAX_EXPONENT = 17

/** In `RowScan.ends`, of what is no string: an integer, which stands in `starts`. */
export const SMALL_INTEGER = -1
/** Another number, which stands in `numbers`. */
export const NUMBER = -2
export const NULL = -3
export const TRUE = -4
export const FALSE = -5
/** Of a string with escapes, of an object, of an array: this, less where it ends. All are JSON from one before their start. */
export const ESCAPED = -16

/** The part of WebAssembly that is used; its types come only with those of browsers. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object) => { readonly exports: object }
}

interface RowScanExports {
  readonly memory: { readonly buffer: ArrayBuffer }
  readonly scan: (at: number, length: number, shift: number, capacity: number) => number
}

interface Node {
  /** Where its words begin in the tree's. */
  readonly word: number
  /** By the text that follows the node's value. */
  readonly next: Map<string, Node>
}

/** What stands before each value of the lines of some shapes, in memory as the scan wants it: a tree, as many begin alike. */
export class TemplateTree {
  #words = new Int32Array(0)
  readonly #roots: Map<string, Node> = new Map()
  #usedBytes = 0
  #size = 0

  /** How many shapes were added. */
  get size(): number {
    return this.#size
  }
  get bytes(): Uint8Array {
    return new Uint8Array(this.#words.buffer, 0, this.#usedBytes)
  }

  /** Adds what stands before each value of a shape, which has a number. Gives whether there was room. */
  add(texts: readonly string[], shape: number): boolean {
    const needed = texts.reduce((sum, text) => sum + nodeBytes(Buffer.byteLength(text)), 0)
    if (this.#usedBytes + needed > MAX_TREE_BYTES) return false
    this.#reserve(this.#usedBytes + needed)
    let level = this.#roots
    let parent: Node | undefined
    for (const text of texts) {
      let node = level.get(text)
      if (node === undefined) {
        node = this.#create(text)
        const before = [...level.values()].at(-1)
        const address = TREE + node.word * 4
        if (before !== undefined) this.#words[before.word + INSTEAD] = address
        else if (parent !== undefined) this.#words[parent.word + FOLLOWING] = address
        level.set(text, node)
      }
      parent = node
      level = node.next
    }
    this.#words[parent!.word + SHAPE] = shape
    this.#size++
    return true
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#words.byteLength) return
    const larger = new Int32Array(Math.max(bytes, 2 * this.#words.byteLength) / 4)
    larger.set(this.#words)
    this.#words = larger
  }

  #create(text: string): Node {
    const start = this.#usedBytes
    const bytes = Buffer.from(text)
    const memory = new Uint8Array(this.#words.buffer)
    this.#usedBytes += nodeBytes(bytes.length)
    this.#words.set([bytes.length, text.length - bytes.length, Math.ceil(bytes.length / STEP), 0, 0, -1], start / 4)
    for (let i = 0; i < bytes.length; i++) {
      const at = start + HEAD_BYTES + Math.floor(i / STEP) * STEP_BYTES + (i % STEP)
      memory[at] = bytes[i]!
      memory[at + STEP] = 255
    }
    return { word: start / 4, next: new Map() }
  }
}

/** Of the words of a node: the address of the one to try instead, that of the one to follow, the shape that ends there. */
const INSTEAD = 3
const FOLLOWING = 4
const SHAPE = 5

function nodeBytes(bytes: number): number {
  return HEAD_BYTES + Math.ceil(bytes / STEP) * STEP_BYTES
}

export interface RowScan {
  /** Of each cell: where it begins in the block's text, in UTF-16 units, if it is a string; its value, if SMALL_INTEGER. */
  readonly starts: Int32Array
  /** Of each cell: where it ends, or one of the constants above. */
  readonly ends: Int32Array
  /** Of each cell: its value, if NUMBER. */
  readonly numbers: Float64Array
  /** Of each line: the number of its shape. */
  readonly shapes: Int32Array
  /** Where the first line begins that was not taken, in bytes, … */
  readonly at: number
  /** … and how many UTF-16 units there are before it, less that. */
  readonly shift: number
  /** How many bytes of what the last scan took are in objects and arrays inside of its rows, or a few more. */
  readonly nestedBytes: number
  /** How many blocks it took in. */
  readonly loads: number
  /** Takes in a block of valid UTF-8 of at most `MAX_SCANNED_BYTES`. The one before is gone. */
  load(block: Uint8Array): void
  /**
   * Takes lines of the block, from the one at `at` on, as long as they are just as the tree says, and there is room for
   * their cells. Gives their number; the cells of the scan before are gone.
   */
  scan(tree: TemplateTree, at: number, shift: number): number
}

let shared: RowScan | null | undefined

/**
 * The one scan of the process, so that many readers need no memory of their own. Whoever lets others run between two of its
 * scans sees by `loads` whether its block is still there. `null` where there is no WebAssembly, or
 * none with SIMD.
 */
export function rowScan(): RowScan | null {
  if (shared === undefined) {
    try {
      shared = createScan()
    } catch {
      shared = null // forbidden, or of another kind: `JSON.parse` does the same
    }
  }
  return shared
}

function createScan(): RowScan {
  const instance = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(ROW_SCAN_WASM, 'base64')))
  const { memory, scan } = instance.exports as RowScanExports
  const bytes = new Uint8Array(memory.buffer)
  const results = new Int32Array(memory.buffer, RESULTS, 3)
  new Float64Array(memory.buffer, POWERS, MAX_EXPONENT + 1).set(
    Array.from({ length: MAX_EXPONENT + 1 }, (_, exponent) => Number(`1e${exponent}`)),
  )
  let length = 0
  let current: TemplateTree | undefined
  let treeSize = 0
  const created = {
    starts: new Int32Array(memory.buffer, STARTS, CELLS),
    ends: new Int32Array(memory.buffer, ENDS, CELLS),
    numbers: new Float64Array(memory.buffer, NUMBERS, CELLS),
    shapes: new Int32Array(memory.buffer, SHAPES, CELLS),
    at: 0,
    shift: 0,
    nestedBytes: 0,
    loads: 0,
    load(block: Uint8Array) {
      created.loads++
      length = block.length
      bytes.set(block)
      bytes.fill(0, length, length + PADDING)
    },
    scan(tree: TemplateTree, at: number, shift: number) {
      if (current !== tree || treeSize !== tree.size) {
        bytes.set(tree.bytes, TREE)
        current = tree
        treeSize = tree.size
      }
      const rows = scan(at, length, shift, CELLS)
      created.at = results[0]!
      created.shift = results[1]!
      created.nestedBytes = results[2]!
      return rows
    },
  }
  return created
}
