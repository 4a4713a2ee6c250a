import { JsonlDecoder } from '../../src/formats/jsonl/decoder.ts'
import type { JsonlReadOptions } from '../../src/formats/jsonl/read-options.ts'
import { type Cutting, type Outcome, readByChunks } from './reading-by-chunks.ts'

export type Reading = JsonlReadOptions & Cutting

export function readJsonl(input: string | Uint8Array, { chunkBytes, skip, ...options }: Reading = {}): Outcome {
  return readByChunks(
    input,
    { chunkBytes, skip },
    context => new JsonlDecoder(options, { ...context, label: 'in.jsonl' }),
  )
}
