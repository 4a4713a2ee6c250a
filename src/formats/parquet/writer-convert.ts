/** Values that wait to be written → the same values of a wider type, where that needs no more than their memory. */
import type { VectorData } from '../../duckdb/vector-data.ts'
import { isSameType, sqlType, type WriteType } from './write-types.ts'
import { createBuilder } from './writer-nested-vectors.ts'

/** A vector of `count` nulls. */
export function nullVector(type: WriteType, count: number): VectorData {
  const builder = createBuilder(type)
  builder.append(new Array(count).fill(null), 0, count)
  return builder.take()
}

/** Undefined where the values themselves would be needed. */
export function convertVector(data: VectorData, from: WriteType, to: WriteType, count: number): VectorData | undefined {
  if (isSameType(from, to)) return data
  if (from.kind === 'null') return nullVector(to, count)
  if (from.kind === 'stored') return convertVector(data, from.base, to, count)
  if (isSameLayout([from], [to])) return data
  if (from.kind === 'integer' && to.kind === 'number') return { ...data, data: doublesOf(data.data!) }
  if (from.kind === 'list' && to.kind === 'list') {
    const items = convertVector(data.children![0]!, from.items, to.items, data.itemCount!)
    return items === undefined ? undefined : { ...data, children: [items] }
  }
  if (from.kind !== 'struct' || to.kind !== 'struct') return undefined
  const names = [...from.fields.keys()]
  const children: VectorData[] = []
  for (const [name, type] of to.fields) {
    const own = from.fields.get(name)
    const child =
      own === undefined
        ? nullVector(type, count)
        : convertVector(data.children![names.indexOf(name)]!, own, type, count)
    if (child === undefined) return undefined
    children.push(child)
  }
  return { ...data, children }
}

function doublesOf(integers: ArrayBuffer): ArrayBuffer {
  return Float64Array.from(new BigInt64Array(integers), Number).buffer
}

/** Whether values of the one type are laid out as those of the other, so that a statement that runs can go on. */
export function isSameLayout(from: readonly WriteType[], to: readonly WriteType[]): boolean {
  return (
    from.length === to.length &&
    from.every((type, i) => sqlType(type, 'vector') === sqlType(to[i]!, 'vector') && sqlType(type) === sqlType(to[i]!))
  )
}
