/** Columns of rows as DuckDB lays them out in its vectors, made in one thread and put into place in another. */

/** The values of one vector. All memory is its own, so that it can be handed to another thread. */
export interface VectorData {
  /** As DuckDB has it in memory: numbers, `duckdb_string_t` of texts and bytes, offset and length of lists. */
  readonly data?: ArrayBuffer
  /** One bit for each value, 0 for null; none where no value is null. */
  readonly validity?: ArrayBuffer
  /** The bytes of texts that are too long to stand in `data`, one behind the other. */
  readonly heap?: ArrayBuffer
  /** Which texts these are; in `data` their pointer is the offset into `heap`. */
  readonly longTexts?: ArrayBuffer
  /** Of a list its items, of a struct its fields. */
  readonly children?: readonly VectorData[]
  /** Of a list: how many items all of its values have together. */
  readonly itemCount?: number
}

/** Rows that move together: at most `VECTOR_ROWS`. */
export interface ChunkData {
  readonly rowCount: number
  readonly vectors: readonly VectorData[]
}

/** Rows that a vector of DuckDB holds. */
export const VECTOR_ROWS = 2048
/** Bytes of a text that stand in the vector itself. */
export const INLINE_TEXT_BYTES = 12

/** The memory of a chunk, to hand it over to another thread. */
export function buffersOf(vectors: readonly VectorData[], into: ArrayBuffer[] = []): ArrayBuffer[] {
  for (const { data, validity, heap, longTexts, children } of vectors) {
    if (data !== undefined) into.push(data)
    if (validity !== undefined) into.push(validity)
    if (heap !== undefined) into.push(heap)
    if (longTexts !== undefined) into.push(longTexts)
    if (children !== undefined) buffersOf(children, into)
  }
  return into
}
