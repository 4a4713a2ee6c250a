/** Puts values that were laid out elsewhere into vectors of DuckDB. */
import type { NativeBinding, NativeVector } from './binding.ts'
import type { VectorData } from './vector-data.ts'

/** What `@duckdb/node-bindings` offers to fill vectors with. */
export interface NativeWriteBinding extends NativeBinding {
  copy_data_to_vector(vector: NativeVector, at: number, source: ArrayBuffer, from: number, byteCount: number): void
  copy_data_to_vector_validity(
    vector: NativeVector,
    at: number,
    source: ArrayBuffer,
    from: number,
    byteCount: number,
  ): void
  vector_ensure_validity_writable(vector: NativeVector): void
  vector_assign_string_element_len(vector: NativeVector, index: number, bytes: Uint8Array): void
  list_vector_reserve(vector: NativeVector, itemCount: number): void
  list_vector_set_size(vector: NativeVector, itemCount: number): void
}

const TWO_32 = 2 ** 32
const STRING_BYTES = 16

/** Fills a vector, and what is nested in it. */
export function fillVector(native: NativeWriteBinding, vector: NativeVector, values: VectorData): void {
  const { data, validity, children, itemCount } = values
  if (data !== undefined) {
    if (values.heap !== undefined) placeTexts(native, vector, values)
    native.copy_data_to_vector(vector, 0, data, 0, data.byteLength)
  }
  if (validity !== undefined) {
    native.vector_ensure_validity_writable(vector)
    native.copy_data_to_vector_validity(vector, 0, validity, 0, validity.byteLength)
  }
  if (children === undefined) return
  if (itemCount === undefined) {
    for (const [i, child] of children.entries()) fillVector(native, native.struct_vector_get_child(vector, i), child)
    return
  }
  native.list_vector_reserve(vector, itemCount)
  native.list_vector_set_size(vector, itemCount)
  if (itemCount > 0) fillVector(native, native.list_vector_get_child(vector), children[0]!)
}

/** Gives the texts to the vector's own memory, all at once, and turns their offsets into pointers to it. */
function placeTexts(native: NativeWriteBinding, vector: NativeVector, { data, heap, longTexts }: VectorData): void {
  native.vector_assign_string_element_len(vector, 0, new Uint8Array(heap!))
  const first = native.vector_get_data(vector, STRING_BYTES)
  const view = new DataView(first.buffer, first.byteOffset, STRING_BYTES)
  const base = view.getUint32(8, true) + view.getUint32(12, true) * TWO_32
  const words = new Uint32Array(data!)
  for (const i of new Int32Array(longTexts!)) {
    const at = i * 4
    const pointer = base + words[at + 2]!
    const high = Math.floor(pointer / TWO_32)
    words[at + 2] = pointer - high * TWO_32
    words[at + 3] = high
  }
}
