/** DuckDB's vectors as typed arrays, and which of their values are null. */
import type { NativeBinding, NativeVector } from './binding.ts'

interface View<T> {
  readonly BYTES_PER_ELEMENT: number
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): T
}

/** The memory of a vector as `count` elements. It is a copy, and stays good. */
export function viewOf<T>(native: NativeBinding, vector: NativeVector, type: View<T>, count: number): T {
  const data = native.vector_get_data(vector, count * type.BYTES_PER_ELEMENT)
  return new type(data.buffer, data.byteOffset, count)
}

/** One bit for each value, 1 where it is not null; null where none is null. */
export function validityOf(native: NativeBinding, vector: NativeVector, count: number): Uint8Array | null {
  return native.vector_get_validity(vector, ((count + 63) >>> 6) << 3)
}

export function isValid(validity: Uint8Array, index: number): boolean {
  return (validity[index >> 3]! & (1 << (index & 7))) !== 0
}
