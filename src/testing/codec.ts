/**
 * What every `Codec` promises, as a suite that a plug-in's test calls with an independent implementation:
 *
 *     codecContract('gzip', codec, { encode: gzipSync, decode: gunzipSync }, { members: true, checksummed: true })
 */
import type { Codec } from '../core/types.ts'
import { decodingContract } from './codec-decode.ts'
import { encodingContract } from './codec-encode.ts'
import type { CodecFacets, CodecReference } from './codec-samples.ts'

/** Declares the suite. */
export function codecContract(name: string, codec: Codec, reference: CodecReference, facets: CodecFacets): void {
  const subject = { name, codec, reference, facets }
  decodingContract(subject)
  if (facets.writes !== false) encodingContract(subject)
}
