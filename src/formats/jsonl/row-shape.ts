/** Lines that are alike, read by a function made for their keys. */
import { GeneratedFunctions, literalKey, mayGenerateCode } from '../../core/generated-code.ts'
import { parseJson } from '../../core/json-parse.ts'
import type { Row } from '../../core/types.ts'
import { ESCAPED, FALSE, NULL, NUMBER, type RowScan, SMALL_INTEGER, TemplateTree, TRUE } from './simd/row-scan.ts'

/** Compiling costs some 160 µs; a generated function of more fields than this runs no faster than a loop. */
const MAX_COMPILED_FIELDS = 300

/** How writers part keys and values: none wastes a space, or as Python does, or only behind the colon. */
const SEPARATORS = [
  [',', ':'],
  [', ', ': '],
  [',', ': '],
] as const

/** Adds to `rows` so many, of the cells from `cell` on that a scan of `text` has found. Throws SyntaxError of an invalid escape. */
type BuildRows = (text: string, cell: number, count: number, rows: Row[]) => void

export interface RowShape {
  /** What stands before each value. */
  readonly texts: readonly string[]
  /** Compiled at its first call: many a shape is met once only. */
  build: BuildRows
}

type Make = (value: CellValue) => BuildRows
const makers = new GeneratedFunctions<Make>('value')
/** By what made them: one closure for all readers keeps what the engine has learned of it. */
const builders = new WeakMap<Make, BuildRows>()

/**
 * The shape of lines like this one, which gave `row`; `null` if it has spaces where
 * nobody puts them, or a key twice, or too many; or where Node forbids code from strings.
 */
export function shapeOf(line: Buffer, row: Row, scan: RowScan): RowShape | null {
  const keys = Object.keys(row)
  if (!mayGenerateCode() || Array.isArray(row) || keys.length === 0 || keys.length > MAX_COMPILED_FIELDS) return null
  scan.load(line)
  for (const [comma, colon] of SEPARATORS) {
    // The line has just these keys in this order, each once, if it is what the template says.
    const texts = keys.map((key, i) => `${i === 0 ? '{' : comma}${JSON.stringify(key)}${colon}`)
    const tree = new TemplateTree()
    if (!tree.add(texts, 0)) return null
    if (scan.scan(tree, 0, 0) === 0) continue
    const shape: RowShape = {
      texts,
      build(text, cell, count, rows) {
        shape.build = compile(keys, scan)
        shape.build(text, cell, count, rows)
      },
    }
    return shape
  }
  return null
}

/** A function with one object literal, so that each row has its hidden class from birth. Cached by the keys. */
function compile(keys: readonly string[], scan: RowScan): BuildRows {
  const make = makers.get(JSON.stringify(keys), () => source(keys))!
  let build = builders.get(make)
  if (build === undefined) {
    build = make(cellValues(scan))
    builders.set(make, build)
  }
  return build
}

function source(keys: readonly string[]): string {
  const fields = keys.map((key, i) => `${literalKey(key)}:value(text,at+${i})`)
  return `'use strict'
return (text, at, count, rows) => {
for (const stop = at + count * ${keys.length}; at < stop; at += ${keys.length}) rows.push({${fields.join(',')}})
}`
}

type CellValue = (text: string, cell: number) => unknown

/**
 * What a cell of the scan holds. A call for each costs next to nothing; with its code in the literal, the engine would take
 * as long to compile a wide one as to read some megabytes, and as much memory.
 */
function cellValues({ starts, ends, numbers }: RowScan): CellValue {
  return (text, cell) => {
    const end = ends[cell]!
    if (end >= 0) return text.slice(starts[cell], end)
    return end === SMALL_INTEGER ? starts[cell] : otherValue(text, cell, end)
  }

  function otherValue(text: string, cell: number, end: number): unknown {
    switch (end) {
      case NULL:
        return null
      case NUMBER:
        return numbers[cell]
      case TRUE:
        return true
      case FALSE:
        return false
      default:
        return parseJson(text.slice(starts[cell]! - 1, ESCAPED - end + 1))
    }
  }
}
