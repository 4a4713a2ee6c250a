/** Decoders of JSON, chunk by chunk: what they give, refuse and end with. */
import type { OpenIterableError } from '../../src/core/errors.ts'
import type { Batch, ReadContext } from '../../src/core/types.ts'

export interface Outcome {
  readonly rows: unknown[]
  /** Bad records, where reading went on after them, with their raw text. */
  readonly errors: (readonly [OpenIterableError, string | undefined])[]
  /** What ended the reading early. */
  readonly failure: OpenIterableError | undefined
}

/** How an input is cut, and read on. */
export interface Cutting {
  /** Bytes in a chunk; all of them if not given. */
  readonly chunkBytes?: number | undefined
  /** Whether to read on after a bad record. */
  readonly skip?: boolean | undefined
}

interface ChunkDecoder {
  decode(chunk: Uint8Array): Iterable<Batch>
  flush(): Iterable<Batch>
}

/** Reads all of `input`. Each chunk lies in the same memory, overwritten by the next, as a source may do. */
export function readByChunks(
  input: string | Uint8Array,
  { chunkBytes, skip = false }: Cutting,
  createDecoder: (context: Pick<ReadContext, 'onBadRecord'>) => ChunkDecoder,
): Outcome {
  const bytes = typeof input === 'string' ? Buffer.from(input) : input
  const size = chunkBytes ?? Math.max(1, bytes.length)
  const rows: unknown[] = []
  const errors: [OpenIterableError, string | undefined][] = []
  const decoder = createDecoder({
    onBadRecord(error, raw) {
      if (!skip) throw error
      errors.push([error as OpenIterableError, raw])
    },
  })
  const memory = Buffer.alloc(size)
  try {
    for (let at = 0; at < bytes.length; at += size) {
      const part = bytes.subarray(at, at + size)
      memory.fill(0xee)
      memory.set(part)
      for (const batch of decoder.decode(memory.subarray(0, part.length))) rows.push(...batch)
    }
    memory.fill(0xee)
    for (const batch of decoder.flush()) rows.push(...batch)
  } catch (error) {
    return { rows, errors, failure: error as OpenIterableError }
  }
  return { rows, errors, failure: undefined }
}

/** Rows as text that tells apart what JSON does not: BigInts, -0, infinities. Keeps key order and `__proto__`. */
export function rowsText(rows: readonly unknown[]): string {
  return JSON.stringify(rows, (_key, value: unknown) => {
    if (typeof value === 'bigint') return { $bigint: String(value) }
    if (Object.is(value, -0)) return { $number: '-0' }
    if (typeof value === 'number' && !Number.isFinite(value)) return { $number: String(value) }
    return value
  })
}

export function placeOf(error: OpenIterableError | undefined): object | undefined {
  if (error === undefined) return undefined
  const { code, line, column, byte, record } = error
  return { code, line, column, byte, record }
}
