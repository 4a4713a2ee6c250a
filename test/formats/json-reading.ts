import { JsonDecoder } from '../../src/formats/json/decoder.ts'
import type { JsonReadOptions } from '../../src/formats/json/read-options.ts'
import { type Cutting, type Outcome, readByChunks } from './reading-by-chunks.ts'

export type Reading = JsonReadOptions & Cutting

export function readJson(input: string | Uint8Array, { chunkBytes, skip, ...options }: Reading = {}): Outcome {
  return readByChunks(
    input,
    { chunkBytes, skip },
    context => new JsonDecoder(options, { ...context, label: 'in.json' }),
  )
}
